import System
import Telemetry
import Testing

@testable import Counting
@testable import TestSupport

@Suite("Group commit of counters with names")
struct NamedCounterTests {
  @Test("carries out several counters in one batch, each exactly, and reads without adding")
  func severalCounters() throws {
    try withRedis { redis throws in
      _ = try redis.command("MSET", counterKey("a/a"), "41", counterKey("a/b"), "-5")
      var loop = try CountingLoop(redis)
      // The first visit of a counter with a name is not in one batch with visits of `/`.
      loop.visit(20, "a/b", .read)
      try loop.turn(untilAnswered: 1)
      _ = try redis.command("CONFIG", "RESETSTAT")
      loop.visit(0, "a/a")
      loop.count(1)
      loop.visit(2, "a/a", .read)
      loop.visit(3, "a/b", .add(7))
      loop.visit(4, "a/a")
      loop.visit(5, "a/new", .read)
      loop.visit(6, "a/new")
      loop.visit(7, "a/made", .create(9))
      loop.visit(8, "a/b", .set(.min))
      loop.visit(9, "a/a", .remove)
      loop.addOnce(10, "a/b", 3, "key")
      try loop.turn(untilAnswered: 12)
      #expect(loop.outcomes.map(\.ticket) == [20] + Array(0...10))
      #expect(
        loop.results.dropFirst() == [
          .number(42), .number(1), .number(42), .number(2), .number(43), .absent, .number(1),
          .created(9), .number(.min), .number(43), .number(.min + 3),
        ])
      #expect(try redis.callCount("mset") == 1)
      #expect(try redis.command("GET", counterKey("a/b")) == .text("\(Int64.min + 3)"))
      #expect(try redis.command("EXISTS", counterKey("a/a")) == .integer(0))
    }
  }

  @Test("cuts a batch at 128 operations, and refuses no visit for it")
  func manyCounters() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      _ = try redis.command("CONFIG", "RESETSTAT")
      for round: UInt128 in 0..<2 {
        for counter: UInt128 in 0..<300 { loop.visit(round * 300 + counter, "a/\(counter)") }
      }
      try loop.turn(untilAnswered: 600)
      #expect(loop.numbers.allSatisfy { $0 == 1 || $0 == 2 })
      #expect(loop.numbers.count { $0 == 2 } == 300)
      #expect(try redis.callCount("mset") >= 3)
      #expect(loop.figures.knownKeys.current == 0)
    }
  }

  @Test("sends the largest batch: 128 additions with idempotency keys, and again after its reply")
  func largest() throws {
    try withRedis { redis throws in
      let relay = try Relay(to: redis)
      var loop = try CountingLoop(redis, through: relay)
      try loop.connect()
      loop.count(1000)
      try loop.turn(untilAnswered: 1)
      let namespace = String(repeating: "n", count: CounterName.longestNamespace)
      let names = (0..<128).map { index in
        let number = "\(index)"
        return namespace + "/"
          + String(repeating: "k", count: CounterName.longestKey - number.utf8.count) + number
      }
      let idempotencyKey = String(repeating: "i", count: 255)
      relay.lose(.replyAfter(100))
      for (index, name) in names.enumerated() {
        loop.addOnce(UInt128(index), name, .min, idempotencyKey)
      }
      try loop.turn(untilAnswered: 129)
      #expect(relay.loss == nil)
      #expect(loop.results.dropFirst().allSatisfy { $0 == .created(.min) })
      let pattern = "{*}:*\(idempotencyKey)"
      for (index, name) in names.enumerated() {
        #expect(try redis.command("GET", counterKey(name)) == .text("\(Int64.min)"))
        loop.addOnce(UInt128(index), name, .min, idempotencyKey)
      }
      try loop.turn(untilAnswered: 257)
      #expect(loop.results.dropFirst(129).allSatisfy { $0 == .replayed(.min) })
      let lives = try redis.command(
        "EVAL",
        """
        local keys, short = redis.call('KEYS', ARGV[1]), 0
        for _, key in ipairs(keys) do
          if redis.call('PTTL', key) < 86000000 then short = short + 1 end
        end
        return #keys .. ' ' .. short
        """, "0", pattern)
      #expect(lives == .text("128 0"), "each record has its expiry")
    }
  }

  @Test("refuses a visit at once when visits refer to 8,192 keys, and takes one of those")
  func knownKeys() throws {
    try withRedis(started: false) { redis throws in
      var loop = try CountingLoop(redis)
      for index: UInt128 in 0..<8_191 { loop.visit(index, "a/\(index)") }
      // One place is left, and this needs two: it must leave nothing behind.
      let name = Array("b/once".utf8)
      let isTaken = loop.counting.addOnce(20_000, name.span, 1, idempotencyKey: name.span)
      #expect(!isTaken)
      loop.visit(8_191, "a/last")
      let other = Array("b/other".utf8)
      let isOtherTaken = loop.counting.visit(20_000, other.span, .hit)
      #expect(!isOtherTaken)
      loop.visit(8_192, "a/0")
      loop.count(8_193)
      try loop.turn()
      #expect(loop.figures.knownKeys.current == 8_192)
      try redis.start()
      _ = try redis.command("CONFIG", "SET", "appendfsync", "no")
      try loop.turn(untilAnswered: 8_194)
      #expect(loop.results.allSatisfy { $0.isNumber })
      try loop.turn()
      #expect(loop.figures.knownKeys.current == 0)
    }
  }

  @Test("keeps no key of a visit that is refused because too many wait")
  func waitingLimit() throws {
    try withRedis(started: false) { redis throws in
      var loop = try CountingLoop(redis)
      for ticket: UInt128 in 0..<65_536 { loop.count(ticket) }
      let name = Array("a/b".utf8)
      let isTaken = loop.counting.visit(0, name.span, .hit)
      let isAddedOnce = loop.counting.addOnce(0, name.span, 1, idempotencyKey: name.span)
      #expect(!isTaken && !isAddedOnce)
      try loop.turn()
      #expect(loop.figures.knownKeys.current == 0)
    }
  }

  @Test("keeps no key when visits expire that wait, or their batch is given up")
  func expiry() throws {
    try withRedis(started: false) { redis throws in
      var loop = try CountingLoop(redis)
      func visitAll(_ first: UInt128) {
        loop.visit(first, "a/a")
        loop.visit(first + 1, "a/a", .read)
        loop.visit(first + 2, "a/b", .remove)
        loop.addOnce(first + 3, "a/c", 1, "key")
        loop.count(first + 4)
      }
      visitAll(0)
      try loop.turn()
      #expect(loop.figures.knownKeys.current == 4)
      try loop.skip(.seconds(6))
      #expect(loop.results == Array(repeating: .unavailable, count: 5))
      #expect(loop.figures.knownKeys.current == 0)

      try redis.start()
      try loop.connect()
      redis.freeze()
      visitAll(5)
      try loop.send()
      try loop.turn()
      visitAll(10)
      try loop.turn()
      #expect(loop.figures.knownKeys.current == 4)
      try loop.skip(.seconds(6))
      #expect(loop.outcomes.count == 15)
      #expect(loop.figures.knownKeys.current == 0)
      redis.thaw()
      loop.visit(15, "a/d")
      try loop.turn(untilAnswered: 16)
      #expect(loop.results.last == .number(1))
      try loop.turn()
      #expect(loop.figures.knownKeys.current == 0)
      // What was given up was counted once or not at all.
      let count = try redis.command("GET", counterKey("a/a"))
      #expect(count == .missing || count == .text("1"))
    }
  }

  @Test("keeps no key of a batch that Redis calls stale")
  func stale() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      guard case .list(let keys) = try redis.command("KEYS", "{hits}:claim:*") else {
        Issue.record("no claim")
        return
      }
      _ = try redis.command("SET", try #require(keys.first?.text), "9 100")
      loop.visit(0, "a/a")
      loop.addOnce(1, "a/b", 1, "key")
      try loop.turn(untilAnswered: 2)
      #expect(loop.results == [.unavailable, .unavailable])
      try loop.turn()
      #expect(loop.figures.knownKeys.current == 0)
    }
  }

  @Test("is refused alone when the user of Redis may only count /, and asked for again later")
  func forbidden() throws {
    try withRedis { redis throws in
      _ = try redis.command(
        ["ACL", "SETUSER", "default", "resetkeys", "~hits", "~{hits}:claim:*", "~{hits}:claims"])
      var loop = try CountingLoop(redis)
      for ticket: UInt128 in 0..<8 {
        if ticket % 2 == 0 { loop.count(ticket) } else { loop.visit(ticket, "a/b") }
      }
      try loop.turn(untilAnswered: 8)
      let results = loop.outcomes.sorted { $0.ticket < $1.ticket }.map(\.result)
      #expect(
        results == [
          .number(1), .unavailable, .number(2), .unavailable, .number(3), .unavailable, .number(4),
          .unavailable,
        ])
      #expect(loop.counting.visit(8, Array("a/b".utf8).span, .hit) == false)
      _ = try redis.command("ACL", "SETUSER", "default", "allkeys")
      try loop.skip(.seconds(6))
      loop.visit(9, "a/b")
      loop.count(10)
      try loop.turn(untilAnswered: 10)
      #expect(loop.results.suffix(2).contains(.number(1)))
      #expect(loop.results.suffix(2).contains(.number(5)))
    }
  }

  @Test("tells the visits of a key that holds no integer, and is no error of Redis")
  func defect() throws {
    try withRedis { redis throws in
      let key = counterKey("a/bad")
      _ = try redis.command("RPUSH", key, "a")
      var loop = try CountingLoop(redis)
      loop.count(0)
      loop.visit(1, "a/bad")
      loop.visit(2, "a/good")
      loop.visit(3, "a/bad", .remove)
      try loop.turn(untilAnswered: 4)
      #expect(loop.results == [.number(1), .notAnInteger, .number(1), .notAnInteger])
      #expect(loop.counting.lastError == nil)
      #expect(loop.figures.refused.current == 0)
      #expect(try redis.command("TYPE", key) == .status("list"))
    }
  }

  @Test("makes no more counters than there may be, and goes on with those there are")
  func mostCounters() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis, mostCounters: 2)
      for (ticket, name) in ["a/0", "a/1", "a/2", "a/0", "a/2"].enumerated() {
        loop.visit(UInt128(ticket), name)
        try loop.turn(untilAnswered: ticket + 1)
      }
      loop.visit(5, "a/2", .read)
      loop.visit(6, "a/1", .remove)
      try loop.turn(untilAnswered: 7)
      loop.visit(7, "a/2")
      loop.count(8)
      try loop.turn(untilAnswered: 9)
      #expect(
        loop.results == [
          .number(1), .number(1), .tooManyCounters, .number(2), .tooManyCounters, .absent,
          .number(1), .number(1), .number(1),
        ])
    }
  }

  @Test("gives records of idempotency keys and claims an expiry, and counters none")
  func expiries() throws {
    try withRedis { redis throws in
      let (counter, record) = (counterKey("a/b"), recordKey("a/b", "k:/{x} é"))
      var loop = try CountingLoop(redis)
      loop.addOnce(0, "a/b", 5, "k:/{x} é")
      try loop.turn(untilAnswered: 1)
      guard case .integer(let life) = try redis.command("PTTL", record) else {
        Issue.record("no time to live")
        return
      }
      #expect((86_000_000...86_400_000).contains(life))
      #expect(try redis.command("PTTL", counter) == .integer(-1))
      #expect(try redis.command("PTTL", "\(counter.prefix { $0 != ":" }):counters") == .integer(-1))
    }
  }

  @Test("has a removed counter deleted from Redis, and one that is made again in its batch not")
  func removal() throws {
    try withRedis { redis throws in
      _ = try redis.command("MSET", counterKey("a/a"), "5", counterKey("a/b"), "6")
      var loop = try CountingLoop(redis)
      loop.visit(0, "a/a", .remove)
      loop.visit(1, "a/b", .remove)
      loop.visit(2, "a/b")
      try loop.turn(untilAnswered: 3)
      #expect(loop.results == [.number(5), .number(6), .number(1)])
      try waitUntil("it is deleted") {
        try redis.command("EXISTS", counterKey("a/a")) == .integer(0)
      }
      #expect(try redis.command("GET", counterKey("a/b")) == .text("1"))
    }
  }
}

extension Outcome.Result {
  fileprivate var isNumber: Bool {
    if case .number = self { return true }
    return false
  }
}
