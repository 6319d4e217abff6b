import Foundation
import Testing

@testable import Counting
@testable import HTTPTestSupport
@testable import TestSupport

/// A writer's batches, the log that Redis wrote of them, and what the counters hold after each.
private struct TornLog {
  private let redis: RedisProcess
  private let batches: [ScriptBatch]

  /// The outcomes of each batch.
  private var replies: [String] = []

  /// What the counters hold before the first batch and after each one.
  private var models = [CounterModel()]

  /// Where the log ended before the first batch and after each one.
  private(set) var ends: [Int] = []

  private(set) var bytes = Data()

  /// Has batches of so many counters carried out, and ends Redis.
  init(_ redis: RedisProcess, counters: Int) throws {
    self.redis = redis
    let names = (0..<counters).map { "a/\($0)" }
    var model = CounterModel()
    var batches: [ScriptBatch] = []
    for number in 1...4 {
      var words: [String] = []
      var steps: [ScriptStep] = []
      for (index, name) in names.enumerated() {
        let step = Self.step(number, index, name)
        let key = index == 0 && counters > 1 ? "hits" : counterKey(name)
        words.append(model.carryOut(step, on: key))
        if case .addOnce(_, let record) = step {
          steps.append(ScriptStep(key, step.text, record: record))
        } else {
          steps.append(ScriptStep(key, step.text))
        }
      }
      batches.append(ScriptBatch(number: number, steps: steps))
      replies.append(words.joined(separator: " "))
      models.append(model)
    }
    self.batches = batches
    try register()
    ends = [try Data(contentsOf: redis.log).count]
    for number in 1...4 {
      try send(number)
      ends.append(try Data(contentsOf: redis.log).count)
    }
    redis.crash()
    bytes = try Data(contentsOf: redis.log)
  }

  /// Each counter is removed, made again and counted on in some batch, some with an idempotency key.
  private static func step(_ number: Int, _ index: Int, _ name: String) -> CounterModel.Step {
    switch (number + index) % 4 {
    case 0: .add(2)
    case 1: .addOnce(Int64(number + 10), record: recordKey(name, "key\(number / 3)"))
    case 2: .add(Int64(index + 1))
    default: .remove
    }
  }

  /// Where the log is cut: at each byte of the last two batches; or if those are many, at each border of
  /// their commands and at some bytes between them.
  var places: [Int] {
    let range = ends[2]..<ends[4]
    guard range.count > 350 else { return Array(range) }
    var places: Set<Int> = [range.lowerBound]
    var start = range.lowerBound
    while let border = bytes.range(of: Data("\r\n*".utf8), in: start..<range.upperBound) {
      start = border.upperBound
      places.insert(border.upperBound - 1)
    }
    var generator = Seeded(UInt64(range.count))
    for _ in 0..<50 { places.insert(.random(in: range, using: &generator)) }
    return places.sorted()
  }

  /// Starts Redis with a log that ends at a place, as after a crash there; sends the batch that was being
  /// written, and those after it; and compares, also after one more start.
  func recover(from place: Int) throws {
    try bytes.prefix(place).write(to: redis.log)
    try redis.start()
    try register()
    let first = ends.firstIndex { $0 > place } ?? batches.count
    for number in first...batches.count { try send(number) }
    try compare(with: models[batches.count], "torn at \(place) of \(bytes.count)")
    redis.crash()
    try redis.start()
    try compare(
      with: models[batches.count], "torn at \(place) of \(bytes.count), and started once more")
    redis.crash()
  }

  private func register() throws {
    _ = try redis.command(
      "EVAL", RegistrationScript.text, "1", ScriptBatch.claim, "86400000", "{hits}:claims")
  }

  private func send(_ number: Int) throws {
    let client = try RESPClient(.unix(redis.socketPath))
    for (index, command) in batches[number - 1].commands.enumerated() {
      let reply = try client.command(command)
      if index == 0 { #expect(reply == .text(replies[number - 1])) }
    }
  }

  private func compare(with model: CounterModel, _ comment: Comment) throws {
    let client = try RESPClient(.unix(redis.socketPath))
    let keys = Set(batches[0].steps.map(\.key)).sorted()
    let buckets = (0..<16).map { "{\($0)}:counters" }
    let records = model.records.keys.sorted()
    let expected =
      keys.map { model.numbers[$0].map { "\($0)" } ?? "" }
      + buckets.map { "\(model.counts[$0] ?? 0)" }
      + records.map { key in model.records[key].map { "\($0.amount) \($0.result)" } ?? "" }
    guard case .list(let values) = try client.command(["MGET"] + keys + buckets + records) else {
      Issue.record("no values")
      return
    }
    let found = zip(keys + buckets + records, values).map { key, value in
      value.text ?? (key.hasSuffix("}:counters") ? "0" : "")
    }
    #expect(found == expected, comment)
  }
}

@Suite("A log that a crash has torn")
struct TornLogTests {
  @Test(
    "has each batch counted once when the writer sends it again, at whatever byte it was torn",
    arguments: [1, 2, 16, 128])
  func torn(_ counters: Int) throws {
    // The log is cut by the test, so nothing has to be on the disk itself.
    try withRedis(flags: ["--appendfsync", "no"]) { redis throws in
      let log = try TornLog(redis, counters: counters)
      #expect(log.ends.sorted() == log.ends)
      for place in log.places { try log.recover(from: place) }
    }
  }
}
