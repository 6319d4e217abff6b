import System
import Testing

@testable import Counting

@Suite("A batch")
struct BatchTests {
  private func batch(_ deadlines: Int64...) -> Batch {
    var batch = Batch()
    for (ticket, deadline) in deadlines.enumerated() {
      batch.append(Visit(ticket: UInt128(ticket), deadline: Instant(nanoseconds: deadline)))
    }
    return batch
  }

  @Test("gives its visits back in the order they came, with their places")
  func order() {
    var batch = batch(1, 2, 3)
    for place in 0..<3 {
      let next = batch.next()
      #expect(next?.ticket == UInt128(place))
      #expect(next?.place == place)
    }
    #expect(batch.next() == nil)
    #expect(batch.isAnswered == true)
    #expect(batch.count == 3)
  }

  @Test("lets visits expire without changing the places of the others")
  func expiry() {
    var batch = batch(10, 20, 30)
    #expect(batch.nextExpired(Instant(nanoseconds: 9)) == nil)
    #expect(batch.nextExpired(Instant(nanoseconds: 20)) == 0)
    #expect(batch.nextExpired(Instant(nanoseconds: 20)) == 1)
    #expect(batch.nextExpired(Instant(nanoseconds: 20)) == nil)
    #expect(batch.deadline == Instant(nanoseconds: 30))
    #expect(batch.count == 3)
    #expect(batch.next()?.place == 2)
  }

  @Test("is the smaller for visits that expired before it was sent")
  func dropping() {
    var batch = batch(10, 20, 30)
    _ = batch.nextExpired(Instant(nanoseconds: 10))
    batch.dropAnswered()
    #expect(batch.count == 2)
    let next = batch.next()
    #expect(next?.ticket == 1)
    #expect(next?.place == 0)
  }

  @Test("never expires when it is empty")
  func empty() {
    var batch = Batch()
    #expect(batch.deadline == .never)
    #expect(batch.isAnswered == true)
    #expect(batch.nextExpired(.now) == nil)
  }
}

@Suite("A refusal by Redis")
struct RefusalTests {
  @Test(
    "is sorted by who can do something about it",
    arguments: [
      ("NOSCRIPT No matching script. Please use EVAL.", Refusal.unknownScript),
      ("WRONGTYPE Operation against a key holding the wrong kind of value", .defect),
      ("ERR the count is not an integer, or leaves no room for more", .defect),
      (
        "ERR Error running script (call to f_x): @user_script:9: WRONGTYPE Operation against a key",
        .defect
      ),
      ("LOADING Redis is loading the dataset in memory", .transient),
      ("READONLY You can't write against a read only replica.", .transient),
      ("OOM command not allowed when used memory > 'maxmemory'.", .transient),
      ("NOAUTH Authentication required.", .transient), ("MISCONF x", .transient),
      ("ERR something new", .transient),
    ])
  func kinds(_ text: String, _ kind: Refusal) {
    #expect(Refusal(text) == kind)
  }
}
