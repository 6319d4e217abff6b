import Foundation
import Testing

@testable import TestSupport

@Suite("Exactness", .serialized)
struct ExactnessTests {
  private static let visit = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

  @Test("Concurrent visitors get each number exactly once, and Redis counts what was answered")
  func concurrentVisitors() throws {
    try withCounterAndRedis(["--threads", "2"]) { counter, redis in
      let visitors = Visitors(16, ports: [counter.port])
      try visitors.waitUntilAnswered(3000)
      try expectExact(visitors.stop(), in: redis)
    }
  }

  @Test("Two counters on one Redis never answer the same number")
  func twoCounters() throws {
    try withCounterAndRedis { one, redis in
      try withCounter(["--redis", redis.url]) { other in
        let visitors = Visitors(16, ports: [one.port, other.port])
        try visitors.waitUntilAnswered(3000)
        try expectExact(visitors.stop(), in: redis)
      }
    }
  }

  @Test("A counter that is started again goes on where Redis stands")
  func startedAgain() throws {
    try withRedis { redis in
      for number in 1...3 {
        try withCounter(["--redis", redis.url]) { counter in
          let visit = try counter.visit()
          #expect(visit == Int64(number))
        }
      }
      #expect(try redis.hits == "3")
    }
  }

  @Test(
    "A number that is already there is continued, to the last digit",
    arguments: [
      41, 0, -1, -5, -1_000_000_000_000, 9_007_199_254_740_991, 9_007_199_254_740_992,
      9_007_199_254_740_993, -9_007_199_254_740_995, 1_000_000_000_000_000_001,
      9_223_372_036_854_770_000, .min,
    ] as [Int64])
  func continued(start: Int64) throws {
    try withCounterAndRedis { counter, redis in
      _ = try redis.command("SET", "hits", "\(start)")
      let client = try counter.client()
      #expect(try client.visit() == start + 1)
      try client.send(String(repeating: Self.visit, count: 5))
      let numbers = try (1...5).map { _ in try client.readResponse().number }
      #expect(numbers == (2...6).map { start + $0 })
      #expect(try redis.hits == "\(start + 6)")
    }
  }

  @Test("Other people's additions are skipped, not overwritten")
  func sharedKey() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      #expect(try client.visit() == 1)
      #expect(try redis.command("INCRBY", "hits", "10") == .integer(11))
      #expect(try client.visit() == 12)
    }
  }

  @Test(
    "What is no number is not touched: visits are told 503 until it is put right",
    arguments: ["many", "", " 5", "3.5", "9223372036854775808"])
  func text(value: String) throws {
    try withCounterAndRedis(["--visit-timeout", "1"]) { counter, redis in
      _ = try redis.command("SET", "hits", value)
      let client = try counter.client()
      try expectUnavailable(client.get("/"))
      #expect(try redis.hits == value)
      _ = try redis.command("SET", "hits", "6")
      #expect(try client.visit() == 7)
    }
  }

  @Test("A key of another type is not touched either")
  func list() throws {
    try withCounterAndRedis(["--visit-timeout", "1"]) { counter, redis in
      _ = try redis.command("RPUSH", "hits", "a")
      let client = try counter.client()
      try expectUnavailable(client.get("/"))
      #expect(try redis.command("LLEN", "hits") == .integer(1))
      _ = try redis.command("DEL", "hits")
      #expect(try client.visit() == 1)
    }
  }

  @Test("After the largest number there is nothing but 503")
  func largestNumber() throws {
    try withCounterAndRedis(["--visit-timeout", "1"]) { counter, redis in
      _ = try redis.command("SET", "hits", "\(Int64.max - 1)")
      let client = try counter.client()
      #expect(try client.visit() == Int64.max)
      try expectUnavailable(client.get("/"))
      try expectUnavailable(client.get("/"))
      #expect(try redis.hits == "\(Int64.max)")
      _ = try redis.command("SET", "hits", "0")
      #expect(try client.visit() == 1)
    }
  }

  @Test("A batch that does not fit below the largest number hands out no wrong one")
  func batchOverTheLargestNumber() throws {
    try withCounterAndRedis(["--visit-timeout", "1"]) { counter, redis in
      let start = Int64.max - 5
      _ = try redis.command("SET", "hits", "\(start)")
      let client = try counter.client()
      try client.send(String(repeating: Self.visit, count: 20))
      let numbers = try (1...20).compactMap { _ in try client.readResponse().number }
      #expect(numbers == Array(numbers.indices).map { start + 1 + Int64($0) })
      #expect(try redis.hits == "\(start + Int64(numbers.count))")
    }
  }
}
