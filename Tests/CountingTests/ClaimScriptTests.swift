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
      "EVAL", ClaimScript.text, "2", "hits", claim, "\(sequence)", "\(amount)", "60000")
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

  @Test(
    "is exact over all 64 bits",
    arguments: [
      ("9007199254740990", "9007199254740991"), ("9007199254740991", "9007199254740992"),
      ("9007199254740992", "9007199254740993"), ("9223372036854775806", "9223372036854775807"),
      ("-9007199254740994", "-9007199254740993"),
    ])
  func exact(_ before: String, _ after: String) throws {
    try withRedis { redis throws in
      _ = try redis.command("SET", "hits", before)
      for _ in 0..<2 { #expect(try add(1, sequence: 1, redis) == .text(after)) }
    }
  }

  @Test(
    "leaves nothing behind when Redis refuses, so that the batch counts once it is mended",
    arguments: ["text", "9223372036854775807", "1.5"])
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
      _ = try redis.command("ACL", "SETUSER", "default", "-set")
      for _ in 0..<2 {
        guard case .error = try add(5, sequence: before, redis) else {
          Issue.record("no error")
          return
        }
      }
      #expect(try redis.hits == "\(2 * before)")
      _ = try redis.command("ACL", "SETUSER", "default", "+set")
      #expect(try add(5, sequence: before, redis) == .text("\(2 * before + 5)"))
    }
  }

  @Test("lets its records expire, later than any copy of a command can be on its way")
  func expiry() throws {
    try withRedis { redis throws in
      _ = try add(1, sequence: 1, redis)
      guard case .integer(let life) = try redis.command("PTTL", Self.claim) else {
        Issue.record("no life")
        return
      }
      #expect((1...60_000).contains(life))
      #expect(Claim.life == 86_400_000)
    }
  }
}
