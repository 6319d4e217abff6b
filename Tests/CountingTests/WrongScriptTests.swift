import System
import Testing

@testable import Counting
@testable import TestSupport
@testable import broken_counter

@Suite("The wrong scripts of the chaos suite")
struct WrongScriptTests {
  @Test("are known to Redis by the digests that are sent", arguments: WrongScript.allCases)
  func digests(_ wrong: WrongScript) throws {
    try withRedis { redis throws in
      #expect(try redis.command("SCRIPT", "LOAD", wrong.script.text) == .text(wrong.script.digest))
      #expect(wrong.script.digest != BatchScript.exactlyOnce.digest)
    }
  }

  /// A batch of a wrong script.
  private func batch(
    _ wrong: WrongScript, number: Int, _ steps: [(key: String, step: String)]
  ) -> ScriptBatch {
    ScriptBatch(
      number: number, steps: steps.map { ScriptStep($0.key, $0.step) }, script: wrong.script.text)
  }

  @Test("count a batch again that is sent again", arguments: [WrongScript.withoutClaim, .claim])
  func again(_ wrong: WrongScript) throws {
    try withRedis { redis throws in
      let batch = batch(wrong, number: 1, [("hits", "2")])
      for _ in 0..<3 { _ = try redis.command(batch.command) }
      #expect(try redis.hits == "6")
    }
  }

  @Test("count right until Redis is killed before its reply, if their write is split")
  func split() throws {
    try withRedis { redis throws in
      let batch = batch(.split, number: 1, [("hits", "2"), (counterKey("a/b"), "3")])
      for _ in 0..<3 { #expect(try redis.command(batch.command) == .text("+2 +3")) }
      redis.crash()
      try redis.start()
      #expect(try redis.command(batch.command) == .text("4 6"))
    }
  }

  @Test("count right and answer the numbers of another counter, if they mix up two")
  func mixed() throws {
    try withRedis { redis throws in
      let steps = [("hits", "2"), (counterKey("a/b"), "3")]
      for _ in 0..<2 {
        #expect(try redis.command(batch(.mixed, number: 1, steps).command) == .text("+3 +2"))
      }
      #expect(try redis.hits == "2")
      #expect(try redis.command(batch(.mixed, number: 2, [("hits", "1")]).command) == .text("3"))
    }
  }

  @Test(
    "serve a group commit as long as nothing goes wrong", arguments: [WrongScript.claim, .split])
  func groupCommit(_ wrong: WrongScript) throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis, script: wrong.script)
      try loop.connect()
      for ticket: UInt128 in 0..<20 {
        loop.count(ticket)
        try loop.turn(untilAnswered: Int(ticket) + 1)
      }
      #expect(loop.numbers == Array(1...20))
      #expect(try redis.callCount("eval") <= 3, "the digest is known")
    }
  }
}
