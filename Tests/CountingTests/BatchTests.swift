import BasicContainers
import Foundation
import System
import Testing

@testable import Counting
@testable import Redis

private func visit(
  _ ticket: UInt128, _ counter: KeyID = .hits, _ action: Action = .hit, deadline: Int64 = 0
) -> Visit {
  Visit(
    ticket: ticket, deadline: Instant(nanoseconds: deadline), counter: counter, action: action)
}

private func actions(of batch: borrowing Batch) -> [Action] {
  var actions: [Action] = []
  for index in 0..<batch.operations.count { actions.append(batch.operations[index].action) }
  return actions
}

private func outcomes(of words: String) -> UniqueArray<OperationOutcome> {
  let count = words.split(separator: " ").count
  guard let outcomes = OperationOutcome.parse(words, count: count) else {
    Issue.record("not understood: \(words)")
    return UniqueArray()
  }
  return outcomes
}

private func results(of batch: consuming AnsweredBatch) -> [Outcome.Result] {
  var results: [Outcome.Result] = []
  while let outcome = batch.nextOutcome() { results.append(outcome.result) }
  return results
}

/// A table of keys, and a batch that is being collected.
private struct Collection: ~Copyable {
  var keys = KeyTable(hits: "hits")
  var builder = BatchBuilder()

  /// Refers to a counter with a name.
  mutating func counter(_ name: String) -> KeyID {
    guard let counter = keys.retain(name: Array(name.utf8).span) else {
      Issue.record("the table is full")
      return .hits
    }
    return counter
  }

  /// Refers to a record in bucket 3.
  mutating func record(_ name: String) -> KeyID {
    guard let record = keys.retain(name: Array(name.utf8).span, bucket: 3) else {
      Issue.record("the table is full")
      return .hits
    }
    return record
  }

  /// Adds a visit, of a counter that it refers to.
  mutating func add(_ visit: Visit) -> Bool {
    keys.retain(visit.counter)
    if builder.add(visit, &keys) { return true }
    keys.release(visit.counter)
    return false
  }

  mutating func makeBatch(_ visits: [Visit] = []) -> Batch {
    for visit in visits { #expect(add(visit) == true) }
    return builder.makeBatch(number: 1, &keys)
  }
}

@Suite("A batch")
struct BatchTests {
  @Test("gives its visits the numbers that as many INCRBYs would have returned, in order")
  func numbers() {
    var collection = Collection()
    let (a, b) = (collection.counter("a/a"), collection.counter("a/b"))
    let batch = collection.makeBatch([
      visit(0, a), visit(1, b, .read), visit(2, a), visit(3, b), visit(4, b, .read), visit(5, a),
      visit(6, b), visit(7, b, .read),
    ])
    let actions = actions(of: batch)
    #expect(actions == [.add(3), .add(2)])
    let answered = AnsweredBatch(batch, outcomes(of: "10 103"))
    #expect(
      results(of: answered)
        == [8, 101, 9, 102, 102, 10, 103, 103].map { Outcome.Result.number($0) })
  }

  @Test("makes no operation of hits and another action, and keeps their order")
  func order() {
    var collection = Collection()
    let (a, b) = (collection.counter("a/a"), collection.counter("a/b"))
    let batch = collection.makeBatch([
      visit(0, a), visit(1, b), visit(2, a, .set(10)), visit(3, a), visit(4, b), visit(5, a),
      visit(6, a, .add(2)), visit(7, a, .add(2)), visit(8, a, .remove), visit(9, a, .read),
      visit(10, a, .create(7)), visit(11, a), visit(12, b, .read),
    ])
    let actions = actions(of: batch)
    #expect(
      actions == [
        .add(1), .add(2), .set(10), .add(2), .add(2), .add(2), .remove, .add(0), .create(7),
        .add(1),
      ])
    let answered = AnsweredBatch(batch, outcomes(of: "3 9 10 12 14 16 16 - +7 8"))
    #expect(
      results(of: answered) == [
        .number(3), .number(8), .number(10), .number(11), .number(9), .number(12), .number(14),
        .number(16), .number(16), .absent, .created(7), .number(8), .number(9),
      ])
  }

  @Test(
    "answers the hits and the reads of a counter that is new, full, one too many, or no integer",
    arguments: [
      ("+2", [.absent, .number(1), .number(1), .number(2)]),
      ("^9", [.number(9), .outOfRange, .number(9), .outOfRange]),
      ("#", [.absent, .tooManyCounters, .absent, .tooManyCounters]),
      ("!", [.notAnInteger, .notAnInteger, .notAnInteger, .notAnInteger]),
    ] as [(String, [Outcome.Result])])
  func refusals(_ word: String, _ expected: [Outcome.Result]) {
    var collection = Collection()
    let a = collection.counter("a/a")
    let batch = collection.makeBatch([
      visit(0, a, .read), visit(1, a), visit(2, a, .read), visit(3, a),
    ])
    let answered = AnsweredBatch(batch, outcomes(of: word))
    #expect(results(of: answered) == expected)
  }

  @Test("refuses the visits of a refused counter only")
  func refused() {
    var collection = Collection()
    let a = collection.counter("a/a")
    let batch = collection.makeBatch([visit(0), visit(1, a), visit(2)])
    let answered = AnsweredBatch(batch, outcomes(of: "2 !"))
    #expect(answered.refusesHits == false)
    #expect(answered.succeededCount == 2)
    #expect(results(of: answered) == [.number(1), .notAnInteger, .number(2)])
  }

  @Test("tells apart that the counter of / is refused", arguments: ["! 2", "^9 2"])
  func refusedHits(_ words: String) {
    var collection = Collection()
    let a = collection.counter("a/a")
    let batch = collection.makeBatch([visit(0), visit(1, a), visit(2, a)])
    let answered = AnsweredBatch(batch, outcomes(of: words))
    #expect(answered.refusesHits == true)
    #expect(answered.succeededCount == 2)
  }

  @Test("answers all visits of a batch that can never be carried out that they are not counted")
  func unavailable() {
    var collection = Collection()
    let a = collection.counter("a/a")
    let batch = collection.makeBatch([visit(0), visit(1, a, .read), visit(2, a, .remove)])
    let answered = AnsweredBatch(refused: batch)
    #expect(answered.succeededCount == 0)
    #expect(results(of: answered) == [.unavailable, .unavailable, .unavailable])
  }

  @Test("lets visits expire without changing the numbers of the others")
  func expiry() {
    var collection = Collection()
    var batch = collection.makeBatch([
      visit(0, deadline: 10), visit(1, deadline: 20), visit(2, deadline: 30),
    ])
    #expect(batch.removeExpired(Instant(nanoseconds: 9)) == nil)
    #expect(batch.removeExpired(Instant(nanoseconds: 20)) == 0)
    #expect(batch.removeExpired(Instant(nanoseconds: 20)) == 1)
    #expect(batch.removeExpired(Instant(nanoseconds: 20)) == nil)
    #expect(batch.deadline == Instant(nanoseconds: 30))
    #expect(batch.unansweredCount == 1)
    let answered = AnsweredBatch(batch, outcomes(of: "3"))
    #expect(results(of: answered) == [.number(3)])
  }

  @Test("is closed to a further operation beyond 128, and open to more hits of those it has")
  func operationsLimit() {
    var collection = Collection()
    let counters = (0...128).map { collection.counter("a/\($0)") }
    for counter in counters.dropLast() { #expect(collection.add(visit(0, counter)) == true) }
    #expect(collection.add(visit(0, counters[128])) == false)
    #expect(collection.add(visit(0, counters[5], .set(1))) == false)
    #expect(collection.add(visit(0, counters[127])) == true)
    let batch = collection.makeBatch()
    let count = actions(of: batch).count
    #expect(count == 128)
    #expect(collection.add(visit(0, counters[128])) == true)
  }

  @Test("ends all its references to keys, and no others")
  func references() {
    var collection = Collection()
    let a = collection.counter("a/a")
    let record = collection.record("once:3:a/a:k")
    let batch = collection.makeBatch([
      visit(0, a), visit(1, a), visit(2), visit(3, a, .addOnce(1, record: record)), visit(4, a),
      visit(5, a, .remove), visit(6),
    ])
    #expect(collection.keys.count == 2)
    collection.keys.release(a)
    #expect(collection.keys.count == 2)
    batch.releaseKeys(&collection.keys)
    #expect(collection.keys.count == 0)
    // The key of `/` is still there.
    let hits = collection.keys.key(.hits).count
    #expect(hits == 4)
  }
}

@Suite("The command of a batch")
struct BatchCommandTests {
  private func text(_ command: borrowing Command) -> String {
    var bytes: [UInt8] = []
    for index in 0..<command.bytes.count { bytes.append(command.bytes[index]) }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func text(_ commands: [[String]]) -> String {
    commands.map { words in
      "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
    }.joined()
  }

  /// The record's key is drawn at random; it is that of the registration.
  private func record(of claim: borrowing Claim) throws -> String {
    let lines = text(claim.greeting).components(separatedBy: "\r\n")
    return try #require(lines.first { $0.hasPrefix("{hits}:claim:") })
  }

  @Test("is what the script reads, with all that has to follow it", arguments: [false, true])
  func everyAction(_ withText: Bool) throws {
    var collection = Collection()
    let a = collection.counter("a/a")
    let record = collection.record("once:3:a/a:k")
    var claim = Claim(tag: "hits", script: .exactlyOnce)
    _ = claim.makeBatchNumber()
    for action: Action in [
      .hit, .hit, .add(-5), .set(.min), .create(7), .remove, .addOnce(9, record: record), .read,
    ] { #expect(collection.add(visit(0, a, action)) == true) }
    #expect(collection.add(visit(0)) == true)
    let batch = collection.builder.makeBatch(number: claim.makeBatchNumber(), &collection.keys)
    let command = claim.command(for: batch, collection.keys, mostCounters: 1000, withText: withText)
    let (key, recordKey) = (counterKey("a/a"), "{3}:once:3:a/a:k")
    let claimRecord = try self.record(of: claim)
    let expected: [[String]] = [
      (withText
        ? ["EVAL", BatchScript.exactlyOnce.text] : ["EVALSHA", BatchScript.exactlyOnce.digest])
        + ["10", claimRecord, key, key, key, key, key, key, recordKey, key, "hits"]
        + ["2", "2", "-5", "=\(Int64.min)", "*7", "x", "@9", "", "0", "1", "1000"],
      ["PEXPIRE", claimRecord, "86400000"], ["PEXPIRE", recordKey, "86400000"],
      ["EVAL", RemovalScript.text, "1", key],
    ]
    #expect(text(command) == text(expected))
    #expect(command.pipelinedCount == 3)
  }

  @Test("is short for a batch of hits of one counter")
  func oneCounter() throws {
    var collection = Collection()
    var claim = Claim(tag: "hits", script: .exactlyOnce)
    for _ in 0..<3 { #expect(collection.add(visit(0)) == true) }
    let batch = collection.builder.makeBatch(number: claim.makeBatchNumber(), &collection.keys)
    let command = claim.command(for: batch, collection.keys, mostCounters: 5, withText: false)
    let record = try record(of: claim)
    #expect(
      text(command)
        == text([
          ["EVALSHA", BatchScript.exactlyOnce.digest, "2", record, "hits", "1", "3", "5"],
          ["PEXPIRE", record, "86400000"],
        ]))
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
    #expect(waiting.removeExpired(.now)?.ticket == nil)
    _ = waiting.append(visit(1, deadline: 10))
    _ = waiting.append(visit(2, deadline: 20))
    #expect(waiting.deadline == Instant(nanoseconds: 10))
    #expect(waiting.removeExpired(Instant(nanoseconds: 9))?.ticket == nil)
    #expect(waiting.removeExpired(Instant(nanoseconds: 15))?.ticket == 1)
    #expect(waiting.removeExpired(Instant(nanoseconds: 15))?.ticket == nil)
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
