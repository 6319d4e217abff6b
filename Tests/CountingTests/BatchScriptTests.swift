import Testing

@testable import Counting
@testable import TestSupport

@Suite("The script of a batch")
struct BatchScriptTests {
  private static let claim = ScriptBatch.claim

  /// Runs the script as a batch of one operation on `hits`.
  private func run(
    _ step: String, number: Int, _ redis: RedisProcess, claim: String = claim
  ) throws -> RESPReply {
    try run([("hits", step)], number: number, redis, claim: claim)
  }

  /// Runs the script as a batch of several operations.
  private func run(
    _ steps: [(key: String, step: String)], number: Int, _ redis: RedisProcess,
    limit: Int = 100_000, claim: String = claim
  ) throws -> RESPReply {
    let steps = steps.map { ScriptStep($0.key, $0.step) }
    return try redis.command(
      ScriptBatch(number: number, steps: steps, limit: limit, claim: claim).command)
  }

  /// Runs the script as a batch of one addition to `hits`.
  private func add(
    _ amount: Int, number: Int, _ redis: RedisProcess, claim: String = claim
  ) throws -> RESPReply {
    try run("\(amount)", number: number, redis, claim: claim)
  }

  @Test("is known to Redis by the digest that is sent")
  func digest() throws {
    try withRedis { redis throws in
      #expect(
        try redis.command("SCRIPT", "LOAD", BatchScript.exactlyOnce.text)
          == .text(BatchScript.exactlyOnce.digest))
    }
  }

  @Test("adds a batch once, however often it is sent")
  func once() throws {
    try withRedis { redis throws in
      for _ in 0..<3 { #expect(try add(5, number: 1, redis) == .text("+5")) }
      #expect(try redis.command("INCRBY", "hits", "10") == .integer(15))
      #expect(try add(5, number: 1, redis) == .text("+5"))
      #expect(try add(2, number: 2, redis) == .text("17"))
      #expect(try redis.hits == "17")
    }
  }

  @Test("refuses an old copy of an earlier batch, and changes nothing")
  func stale() throws {
    try withRedis { redis throws in
      #expect(try add(1, number: 9, redis) == .text("+1"))
      #expect(try add(1, number: 10, redis) == .text("2"))
      guard case .error(let text) = try add(1, number: 9, redis) else {
        Issue.record("no error")
        return
      }
      #expect(text.hasPrefix("STALE"))
      #expect(try add(1, number: 10, redis) == .text("2"))
      #expect(try redis.hits == "2")
    }
  }

  @Test("keeps the writers apart")
  func writers() throws {
    try withRedis { redis throws in
      #expect(try add(1, number: 1, redis) == .text("+1"))
      #expect(try add(1, number: 1, redis, claim: "{hits}:claim:other") == .text("2"))
    }
  }

  @Test("is exact over all 64 bits")
  func exact() throws {
    try withRedis { redis throws in
      let largest = Int.max - 10_000
      let limits = [
        0, 999_999_999_999, 999_999_999_999_998, 999_999_999_999_999, 1 << 53, (1 << 53) + 1,
        (1 << 60) + 1,
        largest,
      ]
      let others = (0..<63).map { bits in Int.random(in: 0...(largest >> bits)) }
      let counts = limits + others + (limits + others).map { -$0 } + [.min]
      for (number, count) in counts.enumerated() {
        let amount = Int.random(in: 0...4_999) * 2 + 1
        _ = try redis.command("SET", "hits", "\(count)")
        for _ in 0..<2 {
          let reply = try add(amount, number: number, redis)
          #expect(reply == .text("\(count + amount)"), "\(count) and \(amount)")
        }
        #expect(try redis.hits == "\(count + amount)")
      }
      _ = try redis.command("SET", "hits", "\(Int.max - 1)")
      #expect(try add(1, number: counts.count, redis) == .text("\(Int.max)"))
    }
  }

  @Test(
    "refuses a value as INCRBY does, leaves nothing behind, and counts once it is mended",
    arguments: [
      "text", "1.5", "1e3", "0x10", " 1", "-", "1 2", "1\n", "9223372036854775805",
      "9223372036854775807", "9223372036854775808", "9999999999999999999", "10000000000000000000",
      "007", "-0000000000000003", "-99999999999999999999",
    ])
  func refused(_ value: String) throws {
    try withRedis { redis throws in
      _ = try redis.command("SET", "hits", value)
      let refusal = Self.isReadable(value) ? "^\(value)" : "!"
      for _ in 0..<2 { #expect(try add(3, number: 1, redis) == .text(refusal)) }
      #expect(try add(0, number: 1, redis) == .text(Self.isReadable(value) ? value : "!"))
      #expect(try redis.hits == value)
      _ = try redis.command("SET", "hits", "0")
      #expect(try add(3, number: 1, redis) == .text("3"))
    }
  }

  /// Whether a value is an integer of 64 bits, though it has no room for more.
  private static func isReadable(_ value: String) -> Bool {
    Int64(value).map { "\($0)" == value } == true
  }

  @Test("takes an empty value for no counter, as a removed one is until it is deleted")
  func empty() throws {
    try withRedis { redis throws in
      _ = try redis.command("SET", "hits", "")
      #expect(try add(0, number: 1, redis) == .text("-"))
      #expect(try run("x", number: 2, redis) == .text("-"))
      #expect(try add(3, number: 3, redis) == .text("+3"))
      #expect(try redis.hits == "3")
    }
  }

  @Test(
    "refuses the same values as INCRBY",
    arguments: [
      "0", "-0", "00", "+5", "5 ", "5\n", "--5", "-9223372036854775808", "-9223372036854775809",
      "١",
    ])
  func sameAsINCRBY(_ value: String) throws {
    try withRedis { redis throws in
      _ = try redis.command("MSET", "hits", value, "other", value)
      let expected: RESPReply =
        if case .integer(let total) = try redis.command("INCRBY", "other", "7") {
          .text("\(total)")
        } else {
          .text("!")
        }
      #expect(try add(7, number: 1, redis) == expected)
    }
  }

  @Test(
    "overwrites no list, text, huge integer or full counter among good ones, whatever the action",
    arguments: ["0", "3", "-3", "=3", "*3", "x", "@3", "@-3"])
  func badCounters(_ step: String) throws {
    try withRedis { redis throws in
      let bad = [
        "text": "1 2", "huge": "9223372036854775808", "tiny": "-9223372036854775809",
        "zeros": "007",
      ]
      _ = try redis.command("RPUSH", "{1}:a/list", "a")
      for (key, value) in bad { _ = try redis.command("SET", "{1}:a/\(key)", value) }
      _ = try redis.command("MSET", "{1}:a/good", "41", "{1}:a/max", "\(Int.max)")
      _ = try redis.command("SET", "{1}:a/min", "\(Int.min)")
      let badKeys = ["{1}:a/list"] + bad.keys.map { "{1}:a/\($0)" }
      let steps =
        [ScriptStep("{1}:a/good", "1")]
        + badKeys.map { key in
          ScriptStep(key, step, record: step.hasPrefix("@") ? "\(key):once" : nil)
        } + [ScriptStep("{1}:a/good", "1")]
      let expected = "42" + badKeys.map { _ in " !" }.joined() + " 43"
      for _ in 0..<2 {
        #expect(try redis.command(ScriptBatch(number: 1, steps: steps).command) == .text(expected))
      }
      #expect(try redis.command("TYPE", "{1}:a/list") == .status("list"))
      for (key, value) in bad {
        #expect(try redis.command("GET", "{1}:a/\(key)") == .text(value))
        #expect(try redis.command("EXISTS", "{1}:a/\(key):once") == .integer(0))
      }
      #expect(try redis.command("GET", "{1}:a/good") == .text("43"))
      #expect(try redis.command("EXISTS", "{1}:counters") == .integer(0))
    }
  }

  @Test("refuses an addition beyond 64 bits only, and says what the counter holds")
  func full() throws {
    try withRedis { redis throws in
      _ = try redis.command(
        "MSET", "{1}:a/max", "\(Int.max)", "{2}:a/min", "\(Int.min)", "good", "1")
      let steps = [
        ("{1}:a/max", "1"), ("good", "1"), ("{2}:a/min", "-1"), ("{1}:a/max", "0"),
        ("{2}:a/min", "\(Int.min)"), ("{1}:a/max", "\(Int.min)"), ("{2}:a/min", "\(Int.max)"),
        ("good", "=\(Int.min)"), ("good", "\(Int.max)"), ("good", "\(Int.max)"), ("good", "2"),
      ]
      let expected = [
        "^\(Int.max)", "2", "^\(Int.min)", "\(Int.max)", "^\(Int.min)", "-1", "-1", "\(Int.min)",
        "-1", "\(Int.max - 1)", "^\(Int.max - 1)",
      ].joined(separator: " ")
      for _ in 0..<2 { #expect(try run(steps, number: 1, redis) == .text(expected)) }
      #expect(try redis.command("GET", "good") == .text("\(Int.max - 1)"))
    }
  }

  @Test("carries out each action, and answers the same when it is sent again")
  func actions() throws {
    try withRedis { redis throws in
      let record = recordKey("blog/home", "key")
      let counter = counterKey("blog/home")
      let expected = [
        ("0", "-"), ("x", "-"), ("5", "+5"), ("-7", "-2"), ("0", "-2"), ("=40", "40"),
        ("*9", "=40"), ("@2", "42"), ("@2", "@42"), ("@3", "~"), ("x", "42"), ("@2", "@42"),
        ("0", "-"), ("*9", "+9"), ("x", "9"), ("=-1", "+-1"), ("=0", "0"),
      ]
      for (index, (step, word)) in expected.enumerated() {
        let batch = ScriptBatch(
          number: index + 1,
          steps: [ScriptStep(counter, step, record: step.hasPrefix("@") ? record : nil)])
        for _ in 0..<2 { #expect(try redis.command(batch.command) == .text(word), "\(step)") }
      }
      #expect(try redis.command("GET", counter) == .text("0"))
      #expect(try redis.command("GET", record) == .text("2 42"))
    }
  }

  @Test("carries out all actions on one counter in one batch in their order")
  func oneCounter() throws {
    try withRedis { redis throws in
      let counter = counterKey("a/b")
      let (first, second) = (recordKey("a/b", "1"), recordKey("a/b", "2"))
      let steps = [
        ScriptStep(counter, "2"), ScriptStep(counter, "=10"), ScriptStep(counter, "1"),
        ScriptStep(counter, "x"), ScriptStep(counter, "0"), ScriptStep(counter, "3"),
        ScriptStep(counter, "@4", record: first), ScriptStep(counter, "@4", record: first),
        ScriptStep(counter, "@4", record: second), ScriptStep(counter, "*1"),
      ]
      let batch = ScriptBatch(number: 1, steps: steps)
      for _ in 0..<2 {
        #expect(try redis.command(batch.command) == .text("+2 10 11 11 - +3 7 @7 11 =11"))
      }
      #expect(try redis.command("GET", counter) == .text("11"))
      #expect(try redis.command("GET", "\(counter.prefix { $0 != ":" }):counters") == .text("1"))
    }
  }

  @Test("changes nothing with a late copy of a batch that changed nothing")
  func lateCopy() throws {
    try withRedis { redis throws in
      let counter = counterKey("a/b")
      #expect(try run([(counter, "x")], number: 1, redis) == .text("-"))
      #expect(
        try run([(counter, "5")], number: 1, redis, claim: "{hits}:claim:other") == .text("+5"))
      #expect(try run([(counter, "x")], number: 1, redis) == .text("-"))
      #expect(try redis.command("GET", counter) == .text("5"))
      #expect(try run([(counter, "*7")], number: 2, redis) == .text("=5"))
      #expect(
        try run([(counter, "x")], number: 2, redis, claim: "{hits}:claim:other") == .text("5"))
      #expect(try run([(counter, "*7")], number: 2, redis) == .text("=5"))
      #expect(try run([(counter, "0")], number: 3, redis) == .text("-"))
    }
  }

  @Test("keeps to the most counters there may be, in all buckets together")
  func mostCounters() throws {
    try withRedis { redis throws in
      let names = (0..<8).map { "a/\($0)" }
      let keys = names.map(counterKey)
      #expect(Set(keys.map { $0.prefix { $0 != ":" } }).count > 2, "several buckets")
      func run(_ steps: [(Int, String)], number: Int) throws -> RESPReply {
        try self.run(steps.map { (keys[$0.0], $0.1) }, number: number, redis, limit: 3)
      }
      #expect(
        try run([(0, "1"), (1, "=1"), (2, "*1"), (3, "1"), (4, "=1"), (5, "*1")], number: 1)
          == .text("+1 +1 +1 # # #"))
      #expect(try run([(0, "1"), (3, "0"), (3, "x")], number: 2) == .text("2 - -"))
      // One that is removed makes room at once, and one that is made again takes it.
      #expect(
        try run([(0, "x"), (3, "1"), (0, "1"), (3, "x"), (0, "=5"), (4, "1")], number: 3)
          == .text("2 +1 # 1 +5 #"))
      #expect(
        try run([(0, "x"), (0, "1"), (0, "x"), (5, "*2"), (0, "1")], number: 4)
          == .text("5 +1 1 +2 #"))
      let record = recordKey(names[7], "key")
      let once = ScriptBatch(
        number: 5, steps: [ScriptStep(keys[7], "@1", record: record)], limit: 3)
      #expect(try redis.command(once.command) == .text("#"))
      #expect(try redis.command("EXISTS", record) == .integer(0))
      #expect(try self.run("1", number: 6, redis) == .text("+1"), "`hits` has no name")
      let counts = try (0..<16).map { try redis.command("GET", "{\($0)}:counters").text ?? "0" }
      #expect(counts.compactMap { Int($0) }.reduce(0, +) == 3)
    }
  }

  @Test(
    "answers a record that holds a list, and makes a counter though a number of counters is one")
  func badRecords() throws {
    try withRedis { redis throws in
      let (counter, record) = (counterKey("a/b"), recordKey("a/b", "key"))
      let count = "\(counter.prefix { $0 != ":" }):counters"
      for key in [record, count] { _ = try redis.command("RPUSH", key, "a") }
      let steps = [
        ScriptStep("hits", "1"), ScriptStep(counter, "@1", record: record),
        ScriptStep(counter, "1"),
      ]
      #expect(
        try redis.command(ScriptBatch(number: 1, steps: steps).command) == .text("+1 ~ +1"))
      #expect(try redis.command("TYPE", record) == .status("list"))
    }
  }

  @Test("keeps the records of idempotency keys apart from counters and from each other")
  func records() throws {
    try withRedis { redis throws in
      // With the name and the key run together, several of these would be one record.
      let pairs = [
        ("a/b", "c"), ("a/b:c", "d"), ("a/b", "c:d"), ("a/b/c", "d"), ("a/b", "/c:d"),
        ("a/b:", "c"),
        ("a/b", ":c"), ("a/once:3:a/b", "c"), ("a/b", "3:a/b:c"), ("once/3:a/b", "c"),
      ]
      let records = pairs.map { recordKey($0.0, $0.1) }
      #expect(Set(records).count == pairs.count)
      for (index, pair) in pairs.enumerated() {
        let step = ScriptStep(counterKey(pair.0), "@\(index + 1)", record: records[index])
        guard
          case .text(let word) = try redis.command(
            ScriptBatch(number: index + 1, steps: [step]).command)
        else {
          Issue.record("no outcome")
          return
        }
        #expect(!word.hasPrefix("@") && word != "~" && word != "!", "\(pair)")
      }
      #expect(try redis.command("GET", counterKey("a/b")) == .text("\(1 + 3 + 5 + 7 + 9)"))
    }
  }

  @Test("records and returns again the largest batch", arguments: [1, 2, 128])
  func largest(_ count: Int) throws {
    try withRedis { redis throws in
      let names = (0..<count).map { index in
        let number = "\(index)"
        let key = String(repeating: "k", count: CounterName.longestKey - number.utf8.count) + number
        return String(repeating: "n", count: CounterName.longestNamespace) + "/" + key
      }
      let steps = names.map { name in
        ScriptStep(
          counterKey(name), "@\(Int.min + 1)",
          record: recordKey(name, String(repeating: "i", count: 255)))
      }
      for name in names { _ = try redis.command("SET", counterKey(name), "-1") }
      let totals = names.map { _ in "\(Int.min)" }.joined(separator: " ")
      let batch = ScriptBatch(number: Int.max, steps: steps)
      for _ in 0..<2 { #expect(try redis.command(batch.command) == .text(totals)) }
      #expect(try redis.command("GET", Self.claim) == .text("\(Int.max) \(totals)"))
      let again = ScriptBatch(number: Int.max, steps: steps, claim: "{hits}:claim:other")
      #expect(
        try redis.command(again.command)
          == .text(names.map { _ in "@\(Int.min)" }.joined(separator: " ")))
      for step in steps {
        #expect(try redis.command("GET", step.key) == .text("\(Int.min)"))
        #expect(try redis.command("GET", step.record ?? "") == .text("\(Int.min + 1) \(Int.min)"))
      }
    }
  }

  @Test("writes nothing for a batch that only reads")
  func reads() throws {
    try withRedis { redis throws in
      _ = try redis.command("SET", "hits", "5")
      #expect(try add(0, number: 1, redis) == .text("5"))
      #expect(try redis.command("EXISTS", Self.claim) == .integer(0))
      #expect(try run([("hits", "0"), ("other", "2")], number: 2, redis) == .text("5 +2"))
    }
  }

  @Test(
    "counts nothing for a user who may not write claims, be it from the start or later",
    arguments: [0, 3])
  func forbidden(_ before: Int) throws {
    try withRedis { redis throws in
      for number in 0..<before { _ = try add(2, number: number, redis) }
      _ = try redis.command("ACL", "SETUSER", "default", "-mset")
      for _ in 0..<2 {
        guard case .error = try add(5, number: before, redis) else {
          Issue.record("no error")
          return
        }
      }
      #expect(try redis.hits ?? "0" == "\(2 * before)")
      _ = try redis.command("ACL", "SETUSER", "default", "+mset")
      #expect(
        try add(5, number: before, redis) == .text((before == 0 ? "+" : "") + "\(2 * before + 5)"))
    }
  }

  @Test("writes nothing for a user who may not read one of the keys, named or not")
  func forbiddenKeys() throws {
    try withRedis { redis throws in
      let counter = counterKey("a/b")
      let rules = ["~hits", "~\(ScriptBatch.claim)", "~\(counter)"]
      for allowed in [rules.dropLast(), rules[...]] {
        _ = try redis.command(["ACL", "SETUSER", "default", "resetkeys"] + allowed)
        guard case .error(let text) = try run([("hits", "1"), (counter, "1")], number: 1, redis)
        else {
          Issue.record("no error")
          return
        }
        #expect(BatchError(text) == .forbidden, "\(text)")
        #expect(try redis.command("EXISTS", "hits", ScriptBatch.claim) == .integer(0))
      }
      _ = try redis.command("ACL", "SETUSER", "default", "allkeys")
      #expect(try run([("hits", "1"), (counter, "1")], number: 1, redis) == .text("+1 +1"))
    }
  }

  @Test("has Redis log a batch as one command, and a writer's registration as several")
  func logged() throws {
    try withRedis { redis throws in
      for number in 1...3 { _ = try add(2, number: number, redis) }
      #expect(try redis.transactionsLogged == 0)
      _ = try redis.command(
        "EVAL", RegistrationScript.text, "1", Self.claim, "60000", "{hits}:claims")
      #expect(try redis.transactionsLogged == 1)
      #expect(try add(2, number: 3, redis) == .text("6"), "what was registered before stays")
    }
  }

  @Test("has removed counters deleted only if they are still empty then")
  func removal() throws {
    try withRedis { redis throws in
      _ = try redis.command("MSET", "a", "", "b", "0", "c", "", "e", " ")
      _ = try redis.command("RPUSH", "list", "a")
      let command = ["EVAL", RemovalScript.text, "6", "a", "b", "c", "d", "list", "e"]
      for _ in 0..<2 { #expect(try redis.command(command) == .text("OK")) }
      #expect(try redis.command("EXISTS", "a", "c") == .integer(0))
      #expect(try redis.command("EXISTS", "b", "list", "e") == .integer(3))
      #expect(try redis.transactionsLogged == 0, "it is one write")
    }
  }
}
