import Redis
import System
import Telemetry
import Testing

@testable import Counting
@testable import TestSupport

@Suite("The list of a namespace's counters")
struct ListTests {
  /// All pages of a namespace, one after another.
  private func list(
    _ namespace: String, _ loop: inout CountingLoop
  ) throws -> [(key: [UInt8], number: Int64)] {
    var counters: [(key: [UInt8], number: Int64)] = []
    var cursor: UInt64 = 0
    repeat {
      let count = loop.pages.count
      loop.list(UInt128(count), namespace, cursor: cursor)
      try loop.turn(until: "the page is there") { $0.pages.count > count }
      let page = try #require(loop.pages.last)
      #expect(page.ticket == UInt128(count))
      let entries = try #require(page.counters)
      counters += entries.map { (Array($0.key.utf8), $0.number) }
      cursor = page.cursor
    } while cursor != 0
    return counters
  }

  /// Makes counters with a number each, by many at a time.
  private func set(_ counters: [(name: String, number: Int64)], _ redis: RedisProcess) throws {
    for start in stride(from: 0, to: counters.count, by: 500) {
      let part = counters[start..<min(start + 500, counters.count)]
      _ = try redis.command(["MSET"] + part.flatMap { [counterKey($0.name), "\($0.number)"] })
    }
  }

  /// Compares a list, in any order, by bytes: to Swift, two spellings of an accent are the same text.
  private func expect(
    _ list: [(key: [UInt8], number: Int64)], _ expected: [(key: String, number: Int64)]
  ) {
    let found = list.map { "\($0.key) \($0.number)" }
    #expect(found.sorted() == expected.map { "\(Array($0.key.utf8)) \($0.number)" }.sorted())
  }

  @Test("has each counter of the namespace once, and none of another with a similar name")
  func namespaces() throws {
    try withRedis { redis throws in
      let namespaces = [
        "blog", "blog2", "blo", "blog.", "blog-x", "xblog", "BLOG", "b.og", "other",
      ]
      var counters: [(name: String, number: Int64)] = []
      for (offset, namespace) in namespaces.enumerated() {
        for key in 0..<(offset < 2 ? 700 : 30) {
          counters.append(("\(namespace)/\(key)", Int64(key * 10 + offset)))
        }
        counters.append(("\(namespace)/blog/1", Int64(offset)))
      }
      try set(counters, redis)
      _ = try redis.command("SET", "hits", "5")
      var loop = try CountingLoop(redis)
      try loop.connect()
      for namespace in namespaces {
        let prefix = "\(namespace)/"
        expect(
          try list(namespace, &loop),
          counters.filter { $0.name.hasPrefix(prefix) }.map {
            (String($0.name.dropFirst(prefix.count)), $0.number)
          })
      }
      expect(try list("nothing", &loop), [])
      expect(try list("blo*", &loop), [])
      #expect(loop.pages.count > namespaces.count + 4, "several pages")
    }
  }

  @Test("has keys of all characters, however a pattern or a line would read them")
  func characters() throws {
    try withRedis { redis throws in
      let keys = [
        "*", "?", "[a]", "[^a]", "a*b", "\\", "\\*", "{x}", "}", "{7}:a/b", "a/b/c", "/", "//", " ",
        "  ", " a", "a b", "5", "-5 6", "\u{301}", "\u{301}a", "e\u{301}", "é", "👩‍👩‍👧", "%", "%d",
        "^$().+-", "\"", "\u{2028}", "\u{85}a".replacing("\u{85}", with: "\u{A0}"), ":", "counters",
        "once:3:a/b:c", String(repeating: "k", count: 128), String(repeating: "é", count: 64),
      ]
      try set(keys.enumerated().map { ("a/\($0.element)", Int64($0.offset)) }, redis)
      var loop = try CountingLoop(redis)
      expect(
        try list("a", &loop), keys.enumerated().map { ($0.element, Int64($0.offset)) })
    }
  }

  @Test("leaves out removed counters and those that hold no integer, and nothing else")
  func badCounters() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      for (ticket, name) in ["a/new", "a/removed", "a/once", "b/x"].enumerated() {
        loop.visit(UInt128(ticket), name)
      }
      loop.visit(4, "a/removed", .remove)
      loop.addOnce(5, "a/once", 6, "key")
      try loop.turn(untilAnswered: 6)
      try set([("a/max", .max), ("a/min", .min), ("a/zero", 0), ("a/minus", -1)], redis)
      let bad = [
        "", "text", "1 2", "1.5", "007", "-0", "+5", "-", "9223372036854775808",
        "-9223372036854775809", "99999999999999999999", "1\n2 forged", "5\n6 forged",
        "123456789012345678901234567890",
      ]
      for (index, value) in bad.enumerated() {
        _ = try redis.command("SET", counterKey("a/bad\(index)"), value)
      }
      _ = try redis.command("RPUSH", counterKey("a/list"), "1")
      _ = try redis.command("HSET", counterKey("a/hash"), "1", "1")
      // Keys of other programs.
      for key in ["{x}:a/b", "{1}a/b", "a/b", "{1}:a", "x{1}:a/b", "{1}:b:a/b", "{1}:\na/b"] {
        _ = try redis.command("SET", key, "1")
      }
      expect(
        try list("a", &loop),
        [
          ("new", 1), ("once", 7), ("max", .max), ("min", .min), ("zero", 0), ("minus", -1),
        ])
    }
  }

  @Test("is without counters when Redis refuses the page, or does not answer in time")
  func refused() throws {
    try withRedis { redis throws in
      try set([("a/b", 1)], redis)
      var loop = try CountingLoop(redis)
      try loop.connect()
      _ = try redis.command("ACL", "SETUSER", "default", "-scan")
      loop.list(0, "a")
      try loop.turn(until: "the page is there") { $0.pages.count == 1 }
      #expect(loop.pages[0].counters == nil && loop.pages[0].cursor == 0)
      loop.count(0)
      try loop.turn(untilAnswered: 1)
      _ = try redis.command("ACL", "SETUSER", "default", "+scan")
      redis.freeze()
      loop.list(1, "a")
      loop.list(2, "a")
      try loop.turn()
      try loop.skip(.seconds(6))
      try loop.turn(until: "both are there") { $0.pages.count == 3 }
      #expect(loop.pages.map(\.ticket) == [0, 1, 2])
      #expect(loop.pages.allSatisfy { $0.counters == nil })
      redis.thaw()
      expect(try list("a", &loop), [("b", 1)])
    }
  }

  @Test("is refused at once while 16 other pages wait, and those are answered in order")
  func limit() throws {
    try withRedis { redis throws in
      try set([("a/b", 1)], redis)
      var loop = try CountingLoop(redis)
      try loop.connect()
      for ticket: UInt128 in 0..<16 { loop.list(ticket, "a") }
      #expect(loop.counting.list(16, "a", cursor: 0) == false)
      try loop.turn()
      #expect(loop.counting.list(16, "a", cursor: 0) == false, "the one in flight waits as well")
      try loop.turn(until: "all are there") { $0.pages.count == 16 }
      #expect(loop.pages.map(\.ticket) == Array(0..<16))
      #expect(loop.pages.allSatisfy { $0.counters?.count == 1 })
      #expect(loop.counting.list(16, "a", cursor: 0) == true)
    }
  }

  @Test("is read again when the connection broke while a page was in flight")
  func interrupted() throws {
    try withRedis { redis throws in
      try set([("a/b", 1)], redis)
      var loop = try CountingLoop(redis)
      try loop.connect()
      for round in 0..<4 {
        redis.freeze()
        loop.list(UInt128(round), "a")
        try loop.turn()
        loop.visit(UInt128(round), "a/c")
        try loop.turn()
        if round % 2 == 0 {
          redis.crash()
          try redis.start()
        } else {
          redis.thaw()
          _ = try redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        }
        try loop.turn(until: "both are there") {
          $0.pages.count == round + 1 && $0.outcomes.count == round + 1
        }
        #expect(loop.pages.last?.ticket == UInt128(round))
        let entries = try #require(loop.pages.last?.counters)
        #expect(entries.contains { $0.key == "b" && $0.number == 1 })
        #expect(loop.numbers.last == Int64(round + 1))
      }
    }
  }

  @Test("takes turns with batches: neither many pages nor many visits hold the other up")
  func turns() throws {
    try withRedis { redis throws in
      try set((0..<3000).map { ("a/\($0)", 1) }, redis)
      var loop = try CountingLoop(redis)
      try loop.connect()
      _ = try redis.command("CONFIG", "RESETSTAT")
      // Pages wait all the time, and a batch comes between any two of them.
      for ticket: UInt128 in 0..<16 { loop.list(ticket, "a") }
      var asked: UInt128 = 0
      var pagesBefore: [Int] = []
      while loop.pages.count < 16 {
        if loop.outcomes.count == asked {
          loop.count(asked)
          asked += 1
          pagesBefore.append(loop.pages.count)
        }
        try loop.turn()
      }
      // A visit that arrives while a page is in flight waits for that one, and at most for one more that
      // was sent in the round in which it came.
      for (before, after) in zip(pagesBefore, pagesBefore.dropFirst()) {
        #expect(after - before <= 2, "\(pagesBefore)")
      }
      #expect(loop.outcomes.count >= 8)
      // The other way around: a page waits for one batch at most, though visits wait all the time.
      let batches = { try redis.callCount("evalsha") }
      loop.count(asked)
      asked += 1
      try loop.send()
      let before = try batches()
      loop.list(100, "a")
      while loop.pages.count < 17 {
        loop.count(asked)
        asked += 1
        try loop.turn()
      }
      #expect(try batches() - before <= 3)
    }
  }

  @Test("ends the back-off of the connection only if nothing else waits")
  func backoff() throws {
    try withRedis(started: false) { redis throws in
      var loop = try CountingLoop(redis)
      try loop.turn(until: "several attempts have failed") { $0.figures.redis.failed.current >= 8 }
      let before = loop.figures.redis.failed.current
      let began = Instant.now
      for ticket: UInt128 in 0..<100 {
        _ = loop.counting.list(ticket, "a", cursor: 0)
        try loop.turn()
      }
      let attempts = loop.figures.redis.failed.current - before
      #expect(attempts >= 1)
      #expect(Double(attempts) <= 2 + (Instant.now - began).seconds / 0.25)
    }
  }
}
