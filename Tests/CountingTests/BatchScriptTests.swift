import Foundation
import Testing

@testable import Counting
@testable import TestSupport

@Suite("The script of a batch")
struct BatchScriptTests {
  private static let claim = "{hits}:claim:test"

  /// Runs the script as a batch of one counter.
  private func add(
    _ amount: Int, number: Int, _ redis: RedisProcess, claim: String = claim
  ) throws -> RESPReply {
    try add([("hits", amount)], number: number, redis, claim: claim)
  }

  /// Runs the script as a batch of several counters.
  private func add(
    _ amounts: [(key: String, amount: Int)], number: Int, _ redis: RedisProcess,
    claim: String = claim
  ) throws -> RESPReply {
    try redis.command(
      ["EVAL", BatchScript.exactlyOnce.text, "\(amounts.count + 1)", claim] + amounts.map(\.key)
        + ["\(number)"] + amounts.map { "\($0.amount)" })
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
      for _ in 0..<3 { #expect(try add(5, number: 1, redis) == .text("5")) }
      #expect(try redis.command("INCRBY", "hits", "10") == .integer(15))
      #expect(try add(5, number: 1, redis) == .text("5"))
      #expect(try add(2, number: 2, redis) == .text("17"))
      #expect(try redis.hits == "17")
    }
  }

  @Test("refuses an old copy of an earlier batch, and changes nothing")
  func stale() throws {
    try withRedis { redis throws in
      #expect(try add(1, number: 9, redis) == .text("1"))
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
      #expect(try add(1, number: 1, redis) == .text("1"))
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
      "text", "1.5", "1e3", "0x10", " 1", "", "-", "9223372036854775805", "9223372036854775807",
      "9223372036854775808", "9999999999999999999", "10000000000000000000", "007",
      "-0000000000000003", "-99999999999999999999",
    ])
  func refused(_ value: String) throws {
    try withRedis { redis throws in
      _ = try redis.command("SET", "hits", value)
      for _ in 0..<2 { #expect(try add(3, number: 1, redis) == .text("!")) }
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

  @Test("keeps the totals of good counters apart from a list, a text and a full one among them")
  func badCounters() throws {
    try withRedis { redis throws in
      _ = try redis.command("RPUSH", "list", "a")
      _ = try redis.command("MSET", "text", "1 2", "full", "\(Int.max)", "good", "41")
      let amounts = [
        ("list", 1), ("good", 1), ("text", 0), ("full", 1), ("absent", 0), ("full", 0), ("new", 3),
      ].enumerated().filter { $0.offset != 5 }.map(\.element)
      for _ in 0..<2 {
        #expect(try add(amounts, number: 1, redis) == .text("! 42 ! ! 0 3"))
      }
      #expect(try redis.command("TYPE", "list") == .status("list"))
      #expect(try redis.command("GET", "text") == .text("1 2"))
      #expect(try redis.command("GET", "full") == .text("\(Int.max)"))
      #expect(try redis.command("EXISTS", "absent") == .integer(0))
      #expect(try redis.command("GET", "good") == .text("42"))
    }
  }

  @Test("records and returns again the largest batch", arguments: [1, 2, 128])
  func largest(_ count: Int) throws {
    try withRedis { redis throws in
      let keys = (0..<count).map { "{hits}:\($0)" }
      for key in keys { _ = try redis.command("SET", key, "\(Int.max - 9)") }
      let totals = keys.map { _ in "\(Int.max)" }.joined(separator: " ")
      for _ in 0..<2 {
        #expect(try add(keys.map { ($0, 9) }, number: 1, redis) == .text(totals))
      }
      #expect(try redis.command("GET", Self.claim) == .text("1 \(totals)"))
    }
  }

  @Test("writes nothing for a batch that only reads")
  func reads() throws {
    try withRedis { redis throws in
      _ = try redis.command("SET", "hits", "5")
      #expect(try add(0, number: 1, redis) == .text("5"))
      #expect(try redis.command("EXISTS", Self.claim) == .integer(0))
      #expect(try add([("hits", 0), ("other", 2)], number: 2, redis) == .text("5 2"))
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
      #expect(try add(5, number: before, redis) == .text("\(2 * before + 5)"))
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

  @Test(
    "counts a batch once though a crash tore Redis's log where it stands, at whatever byte",
    arguments: [1, 3, 128])
  func torn(_ count: Int) throws {
    try withRedis { redis throws in
      let amounts = (0..<count).map { (key: $0 == 0 ? "hits" : "{hits}:\($0)", amount: 2) }
      func totals(_ total: Int) -> RESPReply {
        .text(amounts.map { _ in "\(total)" }.joined(separator: " "))
      }
      for number in 1...3 { _ = try add(amounts, number: number, redis) }
      let whole = try Data(contentsOf: redis.log).count
      _ = try add(amounts, number: 4, redis)
      redis.crash()
      let bytes = try Data(contentsOf: redis.log)
      // Every third byte of a short command, some forty places of a long one.
      let step = max(3, (bytes.count - whole) / 40)
      for end in stride(from: whole, to: bytes.count, by: step) {
        try bytes.prefix(end).write(to: redis.log)
        try redis.start()
        #expect(try add(amounts, number: 4, redis) == totals(8), "torn at \(end)")
        redis.crash()
        try redis.start()
        #expect(
          try add(amounts.map { ($0.key, 0) }, number: 5, redis) == totals(8),
          "torn at \(end), and restarted once more")
        redis.crash()
      }
    }
  }
}
