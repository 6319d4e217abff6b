import System
import Testing

@testable import Counting
@testable import TestSupport

@Suite("A survey of Redis")
struct SurveyTests {
  @Test(
    "knows the risks of a Redis",
    arguments: [
      ("0\n7.0.15\nnoeviction\n1", 0, []), ("12\n6.2.7\nnoeviction\n1", 12, [.version]),
      ("1\n7.2.4\nallkeys-lru\n1", 1, [.eviction]), ("1\n8.2.0\nnoeviction\n0", 1, [.persistence]),
      ("3\n5.0\nvolatile-lru\n0", 3, [.version, .eviction, .persistence]), ("4\n\n\n", 4, []),
    ] as [(String, Int64, Set<Survey.Risk>)])
  func risks(_ text: String, _ counters: Int64, _ risks: Set<Survey.Risk>) {
    let survey = Survey(text: text)
    #expect(survey?.counters == counters)
    #expect(survey?.risks == risks)
  }

  @Test(
    "is none without all its lines", arguments: ["", "1", "1\n7.0\nnoeviction", "x\n7.0\na\n1"])
  func malformed(_ text: String) {
    #expect(Survey(text: text) == nil)
  }

  @Test("is taken of a real Redis at the beginning of a connection, and again after the interval")
  func real() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis, surveyInterval: .seconds(15))
      loop.visit(0, "a/a")
      loop.visit(1, "b/b")
      try loop.turn(untilAnswered: 2)
      try loop.turn(until: "it is surveyed") { $0.counting.survey != nil }
      _ = try redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
      _ = try redis.command("RPUSH", "{9}:counters", "no number")
      try loop.skip(.seconds(16))
      try loop.turn(until: "it is surveyed again") {
        $0.counting.survey?.risks.contains(.eviction) == true
      }
      #expect(loop.counting.survey?.counters == 2)
      // A connection begins with a survey, whenever the last one was.
      _ = try redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
      _ = try redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      try loop.turn(until: "it is surveyed on the next connection") {
        $0.counting.survey?.risks.contains(.eviction) == false
      }
      // A user without INFO is surveyed as well.
      _ = try redis.command("ACL", "SETUSER", "default", "-info")
      try loop.skip(.seconds(16))
      try loop.turn(until: "no risk is known") { $0.counting.survey?.risks.isEmpty == true }
      loop.visit(2, "a/a")
      try loop.turn(untilAnswered: 3)
    }
  }
}
