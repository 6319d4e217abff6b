import Testing

@testable import Counting
@testable import HTTPTestSupport
@testable import TestSupport

/// Draws batches, sends them to Redis as two writers do, and carries them out on the model.
private struct ScriptTrial {
  /// A writer, as Redis remembers it.
  private struct Writer {
    let claim: String
    var batches: [[(key: String, step: CounterModel.Step)]] = []

    /// The number of the last batch that left a record, and its reply.
    var recorded: (number: Int, reply: String) = (0, "0")
  }

  private let redis: RESPClient
  private var generator: Seeded
  private var model = CounterModel()
  private var writers = ["{hits}:claim:one", "{hits}:claim:two"].map { Writer(claim: $0) }
  private let names = ["a/x", "a/y", "a/x/y", "b/x", "once/x", "a/:x", "c/1", "c/2"]
  private var keys: [String] { ["hits"] + names.map(counterKey) }

  init(_ process: RedisProcess, seed: UInt64) throws {
    redis = try RESPClient(.unix(process.socketPath))
    generator = Seeded(seed)
    model.limit = 5
    _ = try redis.command(["RPUSH", counterKey("c/1"), "a"])
    _ = try redis.command(["SET", counterKey("c/2"), "1 2"])
    model.badKeys = [counterKey("c/1"), counterKey("c/2")]
  }

  /// Sends a new batch, or an old one again.
  mutating func sendBatch() throws {
    let writer = Int.random(in: 0..<2, using: &generator)
    let isNew = writers[writer].batches.isEmpty || Int.random(in: 0..<3, using: &generator) > 0
    if isNew {
      let count = Int.random(in: 1...12, using: &generator)
      let batch = (0..<count).map { _ in drawStep() }
      writers[writer].batches.append(batch)
    }
    let last = writers[writer].batches.count
    // The copy of a batch before the last one is too late.
    let number = isNew ? last : max(1, last - Int.random(in: 0...2, using: &generator))
    try send(number, of: writer)
  }

  private mutating func drawStep() -> (key: String, step: CounterModel.Step) {
    let name = names.randomElement(using: &generator) ?? ""
    let key = Int.random(in: 0..<6, using: &generator) == 0 ? "hits" : counterKey(name)
    let number = drawNumber()
    switch Int.random(in: 0..<10, using: &generator) {
    case 0: return (key, .add(0))
    case 1: return (key, .set(number))
    case 2: return (key, .create(number))
    // The counter of `/` cannot be removed.
    case 3, 4: return (counterKey(name), .remove)
    case 5, 6:
      let idempotencyKey = "\(Int.random(in: 0..<3, using: &generator))"
      return (
        counterKey(name),
        .addOnce(number == 0 ? 1 : number, record: recordKey(name, idempotencyKey))
      )
    default: return (key, .add(number))
    }
  }

  /// Small numbers, and those at the limits of 53 and of 64 bits.
  private mutating func drawNumber() -> Int64 {
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: [.max, .min, .min + 1, .max - 1].randomElement(using: &generator) ?? 0
    case 1: .random(in: .min ... .max, using: &generator)
    case 2: .random(in: (1 << 53) - 2...(1 << 53) + 2, using: &generator)
    case 3: .random(in: 999_999_999_999_998...1_000_000_000_000_001, using: &generator)
    default: .random(in: -3...3, using: &generator)
    }
  }

  private mutating func send(_ number: Int, of writer: Int) throws {
    let steps = writers[writer].batches[number - 1]
    let batch = ScriptBatch(
      number: number,
      steps: steps.map { key, step in
        guard case .addOnce(_, let record) = step else { return ScriptStep(key, step.text) }
        return ScriptStep(key, step.text, record: record)
      }, limit: model.limit, claim: writers[writer].claim)
    let reply = try redis.command(batch.command)
    if let expected = expectedReply(number, steps, of: writer) {
      #expect(reply == .text(expected), "\(batch.steps)")
    } else {
      guard case .error(let text) = reply, text.contains("STALE") else {
        Issue.record("\(reply) in place of STALE")
        return
      }
    }
    // What is pipelined behind a batch can come late, or not at all.
    if Bool.random(using: &generator) {
      for command in batch.commands.dropFirst() { _ = try redis.command(command) }
    }
  }

  /// The reply to a batch, which is carried out if it was not before; nil for one that is stale.
  private mutating func expectedReply(
    _ number: Int, _ steps: [(key: String, step: CounterModel.Step)], of writer: Int
  ) -> String? {
    let recorded = writers[writer].recorded
    guard number > recorded.number else {
      return number == recorded.number ? recorded.reply : nil
    }
    let words = steps.map { model.carryOut($0.step, on: $0.key) }
    let reply = words.joined(separator: " ")
    let isRecorded = zip(steps, words).contains { step, word in
      guard case .add(let number) = step.step else { return true }
      return number != 0 && !["!", "#", "^"].contains(word.prefix(1))
    }
    if isRecorded { writers[writer].recorded = (number, reply) }
    return reply
  }

  /// Compares all values in Redis with the model.
  func compare() throws {
    for key in keys where !model.badKeys.contains(key) {
      let value = try redis.command(["GET", key]).text ?? ""
      #expect(value == model.numbers[key].map { "\($0)" } ?? "", "\(key)")
    }
    for key in model.badKeys { #expect(try redis.command(["EXISTS", key]) == .integer(1)) }
    for bucket in 0..<16 {
      let key = "{\(bucket)}:counters"
      let count = try redis.command(["GET", key]).text ?? "0"
      #expect(count == "\(model.counts[key] ?? 0)", "\(key)")
      #expect(Int(count) == model.numbers.keys.count { $0.hasPrefix("{\(bucket)}:") })
    }
    for (key, record) in model.records {
      #expect(try redis.command(["GET", key]) == .text("\(record.amount) \(record.result)"))
    }
  }
}

@Suite("The script of a batch, against a model")
struct BatchScriptModelTests {
  @Test(
    "does what its steps would do one after another, once, in whatever order copies come",
    arguments: [1, 2, 3] as [UInt64])
  func model(seed: UInt64) throws {
    try withRedis { redis throws in
      _ = try redis.command("CONFIG", "SET", "appendfsync", "no")
      var trial = try ScriptTrial(redis, seed: seed)
      for _ in 0..<400 {
        try trial.sendBatch()
        try trial.compare()
      }
    }
  }
}
