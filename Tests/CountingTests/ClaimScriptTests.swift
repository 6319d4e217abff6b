import Foundation
import Testing

@testable import Counting
@testable import TestSupport

@Suite("The claim script")
struct ClaimScriptTests {
  private static let claim = "{hits}:claim:test"

  /// Runs the script as batch `sequence` of a writer.
  private func add(
    _ amount: Int, sequence: Int, _ redis: RedisProcess, claim: String = claim
  ) throws -> RESPReply {
    try redis.command(
      "EVAL", ClaimScript.text, "2", "hits", claim, "\(sequence)", "\(amount)")
  }

  @Test("is known to Redis by the digest that is sent")
  func digest() throws {
    try withRedis { redis throws in
      #expect(try redis.command("SCRIPT", "LOAD", ClaimScript.text) == .text(ClaimScript.digest))
    }
  }

  @Test("adds a batch once, however often it is sent")
  func once() throws {
    try withRedis { redis throws in
      for _ in 0..<3 { #expect(try add(5, sequence: 1, redis) == .text("5")) }
      #expect(try redis.command("INCRBY", "hits", "10") == .integer(15))
      #expect(try add(5, sequence: 1, redis) == .text("5"))
      #expect(try add(2, sequence: 2, redis) == .text("17"))
      #expect(try redis.hits == "17")
    }
  }

  @Test("refuses an old copy of an earlier batch, and changes nothing")
  func stale() throws {
    try withRedis { redis throws in
      #expect(try add(1, sequence: 9, redis) == .text("1"))
      #expect(try add(1, sequence: 10, redis) == .text("2"))
      guard case .error(let text) = try add(1, sequence: 9, redis) else {
        Issue.record("no error")
        return
      }
      #expect(text.hasPrefix("STALE"))
      #expect(try add(1, sequence: 10, redis) == .text("2"))
      #expect(try redis.hits == "2")
    }
  }

  @Test("keeps the writers apart")
  func writers() throws {
    try withRedis { redis throws in
      #expect(try add(1, sequence: 1, redis) == .text("1"))
      #expect(try add(1, sequence: 1, redis, claim: "{hits}:claim:other") == .text("2"))
    }
  }

  @Test("is exact over all 64 bits")
  func exact() throws {
    try withRedis { redis throws in
      let largest = Int.max - 10_000
      let limits = [0, 999_999_999_999, 999_999_999_999_998, 1 << 53, largest]
      let others = (0..<63).map { bits in Int.random(in: 0...(largest >> bits)) }
      let counts = limits + others + (limits + others).map { -$0 } + [.min]
      for (sequence, count) in counts.enumerated() {
        let amount = Int.random(in: 1...10_000)
        _ = try redis.command("SET", "hits", "\(count)")
        for _ in 0..<2 {
          let reply = try add(amount, sequence: sequence, redis)
          #expect(reply == .text("\(count + amount)"), "\(count) and \(amount)")
        }
        #expect(try redis.hits == "\(count + amount)")
      }
      _ = try redis.command("SET", "hits", "\(Int.max - 1)")
      #expect(try add(1, sequence: counts.count, redis) == .text("\(Int.max)"))
    }
  }

  @Test(
    "leaves nothing behind when Redis refuses, so that the batch counts once it is mended",
    arguments: [
      "text", "1.5", "1e3", "0x10", " 1", "", "-", "9223372036854775805", "9223372036854775807",
      "9223372036854775808", "9999999999999999999", "10000000000000000000", "007",
      "-0000000000000003", "-99999999999999999999",
    ])
  func refused(_ value: String) throws {
    try withRedis { redis throws in
      _ = try redis.command("SET", "hits", value)
      for _ in 0..<2 {
        guard case .error(let text) = try add(3, sequence: 1, redis) else {
          Issue.record("no error")
          return
        }
        #expect(Refusal(text) == .defect)
      }
      #expect(try redis.hits == value)
      _ = try redis.command("SET", "hits", "0")
      #expect(try add(3, sequence: 1, redis) == .text("3"))
    }
  }

  @Test(
    "counts nothing for a user who may not write claims, be it from the start or later",
    arguments: [0, 3])
  func forbidden(_ before: Int) throws {
    try withRedis { redis throws in
      for sequence in 0..<before { _ = try add(2, sequence: sequence, redis) }
      _ = try redis.command("ACL", "SETUSER", "default", "-mset")
      for _ in 0..<2 {
        guard case .error = try add(5, sequence: before, redis) else {
          Issue.record("no error")
          return
        }
      }
      #expect(try redis.hits ?? "0" == "\(2 * before)")
      _ = try redis.command("ACL", "SETUSER", "default", "+mset")
      #expect(try add(5, sequence: before, redis) == .text("\(2 * before + 5)"))
    }
  }

  @Test("has Redis log a batch as one command, and a writer's registration as several")
  func logged() throws {
    try withRedis { redis throws in
      for sequence in 1...3 { _ = try add(2, sequence: sequence, redis) }
      #expect(try redis.transactionsLogged == 0)
      _ = try redis.command("EVAL", ClaimScript.registration, "1", Self.claim, "60000")
      #expect(try redis.transactionsLogged == 1)
      #expect(try add(2, sequence: 3, redis) == .text("6"), "what was registered before stays")
    }
  }

  @Test("counts a batch once though a crash tore Redis's log where it stands, at whatever byte")
  func torn() throws {
    try withRedis { redis throws in
      for sequence in 1...3 { _ = try add(2, sequence: sequence, redis) }
      let whole = try Data(contentsOf: redis.log).count
      _ = try add(2, sequence: 4, redis)
      redis.crash()
      let bytes = try Data(contentsOf: redis.log)
      for end in stride(from: whole, to: bytes.count, by: 3) {
        try bytes.prefix(end).write(to: redis.log)
        try redis.start()
        #expect(try add(2, sequence: 4, redis) == .text("8"), "torn at \(end)")
        redis.crash()
        try redis.start()
        #expect(try redis.hits == "8", "torn at \(end), and restarted once more")
        redis.crash()
      }
    }
  }
}
