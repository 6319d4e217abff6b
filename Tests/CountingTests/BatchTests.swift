import BasicContainers
import System
import Testing

@testable import Counting

private func visit(
  _ ticket: UInt128, deadline: Int64 = 0, counter: UInt32 = 0, amount: Int32 = 1
) -> Visit {
  Visit(
    ticket: ticket, deadline: Instant(nanoseconds: deadline), counter: CounterID(index: counter),
    amount: amount)
}

private func amounts(of batch: borrowing Batch) -> [Int64] {
  var amounts: [Int64] = []
  for index in 0..<batch.groups.count { amounts.append(batch.groups[index].amount) }
  return amounts
}

private func outcomes(of batch: consuming AnsweredBatch) -> [Int64] {
  var numbers: [Int64] = []
  while let outcome = batch.nextOutcome() { numbers.append(outcome.number ?? -1) }
  return numbers
}

@Suite("A batch")
struct BatchTests {
  private func batch(_ visits: [Visit]) -> Batch {
    var builder = BatchBuilder(counters: 3)
    for visit in visits { #expect(builder.add(visit) == true) }
    return builder.makeBatch(number: 1)
  }

  @Test("gives its visits the numbers that as many INCRBYs would have returned, in order")
  func numbers() {
    let batch = batch([
      visit(0), visit(1, counter: 2, amount: 5), visit(2), visit(3, counter: 2, amount: 0),
      visit(4, counter: 2, amount: -2), visit(5),
    ])
    let amounts = amounts(of: batch)
    #expect(amounts == [3, 3])
    let answered = AnsweredBatch(batch, totals: UniqueArray(copying: [10, 103] as [Int64?]))
    #expect(outcomes(of: answered) == [8, 105, 9, 105, 103, 10])
  }

  @Test("refuses the visits of a refused counter only")
  func refused() {
    let batch = batch([visit(0), visit(1, counter: 1), visit(2)])
    let answered = AnsweredBatch(batch, totals: UniqueArray(copying: [2, nil] as [Int64?]))
    #expect(answered.refusedCounter == CounterID(index: 1))
    #expect(answered.addedCount == 2)
    #expect(outcomes(of: answered) == [1, -1, 2])
  }

  @Test("lets visits expire without changing the numbers of the others")
  func expiry() {
    var batch = batch([visit(0, deadline: 10), visit(1, deadline: 20), visit(2, deadline: 30)])
    #expect(batch.removeExpired(Instant(nanoseconds: 9)) == nil)
    #expect(batch.removeExpired(Instant(nanoseconds: 20)) == 0)
    #expect(batch.removeExpired(Instant(nanoseconds: 20)) == 1)
    #expect(batch.removeExpired(Instant(nanoseconds: 20)) == nil)
    #expect(batch.deadline == Instant(nanoseconds: 30))
    #expect(batch.unansweredCount == 1)
    let answered = AnsweredBatch(batch, totals: UniqueArray(copying: [3] as [Int64?]))
    #expect(outcomes(of: answered) == [3])
  }

  @Test("is closed to a further counter beyond 128, and open to more visits of those it has")
  func countersLimit() {
    var builder = BatchBuilder(counters: 200)
    for counter: UInt32 in 0..<128 { #expect(builder.add(visit(0, counter: counter)) == true) }
    #expect(builder.add(visit(0, counter: 128)) == false)
    #expect(builder.add(visit(0, counter: 127)) == true)
    let batch = builder.makeBatch(number: 1)
    let count = amounts(of: batch).count
    #expect(count == 128)
    #expect(builder.add(visit(0, counter: 128)) == true)
  }
}

@Suite("The visits that wait")
struct WaitingVisitsTests {
  @Test("leave in the order in which they arrived, however the ring turns and grows")
  func order() {
    var waiting = WaitingVisits()
    var (arrived, left): (UInt128, UInt128) = (0, 0)
    for round in 1...40 {
      for _ in 0..<round * 13 % 97 {
        #expect(waiting.append(visit(arrived)) == true)
        arrived += 1
      }
      var wanted = round * 11 % 89
      waiting.removeFirst { visit in
        guard wanted > 0 else { return false }
        #expect(visit.ticket == left)
        wanted -= 1
        left += 1
        return true
      }
    }
    #expect(waiting.count == Int(arrived - left))
  }

  @Test("expire from the front, each at its deadline")
  func expiry() {
    var waiting = WaitingVisits()
    #expect(waiting.deadline == .never)
    #expect(waiting.removeExpired(.now) == nil)
    _ = waiting.append(visit(1, deadline: 10))
    _ = waiting.append(visit(2, deadline: 20))
    #expect(waiting.deadline == Instant(nanoseconds: 10))
    #expect(waiting.removeExpired(Instant(nanoseconds: 9)) == nil)
    #expect(waiting.removeExpired(Instant(nanoseconds: 15)) == 1)
    #expect(waiting.removeExpired(Instant(nanoseconds: 15)) == nil)
    #expect(waiting.deadline == Instant(nanoseconds: 20))
  }
}

@Suite("An error of a batch")
struct BatchErrorTests {
  @Test(
    "is sorted by what the writer does about it",
    arguments: [
      ("NOSCRIPT No matching script. Please use EVAL.", BatchError.unknownScript),
      ("STALE a later batch of this writer was counted", .stale),
      ("ERR Error running script (call to f_x): @user_script:9: STALE a later batch", .stale),
      ("LOADING Redis is loading the dataset in memory", .transient),
      ("READONLY You can't write against a read only replica.", .transient),
      ("OOM command not allowed when used memory > 'maxmemory'.", .transient),
      ("NOAUTH Authentication required.", .transient), ("MISCONF x", .transient),
      ("ERR something new", .transient),
    ])
  func kinds(_ text: String, _ kind: BatchError) {
    #expect(BatchError(text) == kind)
  }
}
