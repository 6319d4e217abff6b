import System
import Telemetry
import Redis
import Testing

@testable import Counting
@testable import TestSupport

@Suite("Group commit")
struct GroupCommitTests {
  @Test("numbers visits in the order they came, a batch at a time")
  func order() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      _ = try redis.command("CONFIG", "RESETSTAT")
      for ticket: UInt128 in 0..<10 { loop.count(ticket) }
      try loop.send()
      for ticket: UInt128 in 10..<15 { loop.count(ticket) }
      try loop.turn(until: "all are answered") { $0.outcomes.count == 15 }
      #expect(loop.outcomes.map(\.ticket) == Array(0..<15))
      #expect(loop.numbers == Array(1...15))
      #expect(try redis.hits == "15")

      // One script call a batch: the first by digest, again with the script, then the second.
      #expect(try redis.callCount("eval") == 1)
      #expect(try redis.callCount("evalsha") == 2)
      #expect(try redis.callCount("mset") == 2)
    }
  }

  @Test("has one batch in flight, and sends the next when the reply has come")
  func oneInFlight() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      _ = try redis.command("CONFIG", "RESETSTAT")
      redis.freeze()
      for ticket: UInt128 in 0..<5 {
        loop.count(ticket)
        try loop.turn()
      }
      #expect(loop.outcomes.isEmpty)
      redis.thaw()
      try loop.turn(until: "all are answered") { $0.outcomes.count == 5 }
      #expect(loop.numbers == [1, 2, 3, 4, 5])
      #expect(try redis.callCount("mset") == 2)
    }
  }

  @Test("keeps its visits out of a transaction that a crash left open in Redis's log")
  func openTransaction() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      var asked: UInt128 = 0
      // What is torn is carried out at the second start after that, if ever.
      for _ in 0..<4 {
        for _ in 0..<2 {
          try loop.connect()
          loop.count(asked)
          asked += 1
          try loop.turn(until: "it is answered") { $0.outcomes.count == asked }
        }
        try redis.stop()
        try redis.tearLog(in: .transactionOfAnother)
        try redis.start()
        try loop.turn(until: "it is noticed") { !$0.counting.isConnected }
      }
      #expect(loop.numbers == Array(1...8))
      try redis.stop()
      try redis.start()
      #expect(try redis.hits == "8")
    }
  }

  @Test("has its record expire, later than any copy of a command can be on its way")
  func expiry() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      for ticket: UInt128 in 0..<2 {
        loop.count(ticket)
        try loop.turn(until: "it is answered") { $0.outcomes.count == ticket + 1 }
        let claims = try #require(try redis.command("EVAL", Self.claims, "0").text)
        let life = try #require(Int(claims), "one claim, which expires")
        #expect((86_000_000...86_400_000).contains(life))
      }
    }
  }

  /// The life of the only claim there is.
  private static let claims = """
    local keys = redis.call('KEYS', '{hits}:claim:*')
    return #keys == 1 and tostring(redis.call('PTTL', keys[1])) or 'several'
    """

  @Test("holds a batch back for a round that brought a quarter of it, and for no other")
  func filling() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      // The first visit is all of its batch.
      try loop.turn(visits: 0..<1)
      #expect(loop.counting.isFilling == true)
      // Three of four.
      try loop.turn(visits: 1..<4)
      #expect(loop.counting.isFilling == true)
      // One of five: the batch is sent.
      try loop.turn(visits: 4..<5)
      #expect(loop.counting.isFilling == false)
      try loop.turn(until: "all are answered") { $0.outcomes.count == 5 }
      #expect(loop.numbers == [1, 2, 3, 4, 5])
      #expect(try redis.callCount("mset") == 2, "the registration and one batch")
    }
  }

  @Test("sends a batch after a round without visits")
  func fillingEnds() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      try loop.turn(visits: 0..<1)
      #expect(loop.counting.isFilling == true)
      try loop.turn()
      #expect(loop.counting.isFilling == false)
      try loop.turn(until: "it is answered") { $0.outcomes.count == 1 }
    }
  }

  @Test("holds no batch back while Redis is away or another batch is in flight")
  func fillingInVain() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.turn(visits: 0..<1)
      #expect(loop.counting.isFilling == false)
      try loop.turn(until: "it is answered") { $0.outcomes.count == 1 }
      redis.freeze()
      loop.count(1)
      try loop.send()
      try loop.turn(visits: 2..<9)
      #expect(loop.counting.isFilling == false)
      redis.thaw()
    }
  }

  @Test("does not count what was never sent, when it runs out of time")
  func expiredUnsent() throws {
    try withRedis(started: false) { redis throws in
      var loop = try CountingLoop(redis)
      loop.count(1)
      try loop.skip(.seconds(4))
      loop.count(2)
      try loop.skip(.seconds(2))
      #expect(loop.outcomes.map(\.ticket) == [1])
      #expect(loop.numbers == [-1])
      try redis.start()
      try loop.turn(until: "the other is answered") { $0.outcomes.count == 2 }
      #expect(loop.numbers == [-1, 1])
      #expect(try redis.hits == "1")
    }
  }

  @Test("answers the rest of a batch with the right numbers when some of it expired in flight")
  func expiredInFlight() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      loop.count(1)
      try loop.skip(.seconds(3))
      redis.freeze()
      loop.count(2)
      loop.count(3)
      try loop.send()
      try loop.skip(.seconds(3))
      #expect(loop.outcomes.map(\.ticket).contains(1))
      redis.thaw()
      try loop.turn(until: "all are answered") { $0.outcomes.count == 3 }
      let numbers = Dictionary(uniqueKeysWithValues: loop.outcomes.map { ($0.ticket, $0.number) })
      let second = try #require(numbers[2] ?? nil)
      #expect(numbers[3] == second + 1)
      #expect(try redis.hits == "\(second + 1)")
    }
  }

  @Test("gives a batch that was counted, and whose reply was lost, the numbers of the first time")
  func resend() throws {
    try withRedis { redis throws in
      // Each batch is counted, and an error takes the place of its totals.
      let text = BatchScript.exactlyOnce.text.replacing(
        "return reply", with: "return redis.error_reply('LOST the totals')")
      let digest = try #require(try redis.command("SCRIPT", "LOAD", text).text)
      let script = BatchScript(text: text, digest: digest)
      var loop = try CountingLoop(redis, script: script)
      try loop.connect()
      _ = try redis.command("CONFIG", "RESETSTAT")
      var asked: UInt128 = 0
      for round in 0..<20 {
        for _ in 0...round {
          loop.count(asked)
          asked += 1
        }
        try loop.turn(until: "the batch is answered") { $0.outcomes.count == Int(asked) }
      }
      #expect(loop.numbers == (1...Int64(asked)).map(\.self))
      #expect(try redis.hits == "\(asked)")
      #expect(try redis.errorCount("LOST") >= 20, "each batch was sent again after it was counted")
    }
  }

  @Test(
    "counts with a slow Redis as long as a visit has the time",
    arguments: [(130, 1000), (600, 5000), (1200, 5000)] as [(Int64, Int64)])
  func slowRedis(_ latency: Int64, _ timeout: Int64) throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis, timeout: .milliseconds(timeout))
      loop.latency = .milliseconds(latency)
      try loop.connect()
      for ticket: UInt128 in 0..<5 {
        loop.count(ticket)
        try loop.turn(until: "it is answered") { $0.outcomes.count == ticket + 1 }
      }
      #expect(loop.numbers == [1, 2, 3, 4, 5])
    }
  }

  @Test("refuses a visit at once when 65,536 others wait, and counts those that wait")
  func waitingLimit() throws {
    try withRedis(started: false) { redis throws in
      var loop = try CountingLoop(redis)
      for ticket: UInt128 in 0..<65_536 { loop.count(ticket) }
      #expect(loop.counting.visit(65_536) == false)
      try redis.start()
      try loop.turn(until: "all are answered") { $0.outcomes.count == 65_536 }
      #expect(loop.numbers == Array(1...65_536))
      #expect(loop.counting.visit(65_536) == true)
    }
  }

  @Test("gives an expiry to the record of a writer that is gone without one")
  func lostExpiry() throws {
    try withRedis { redis throws in
      let lost = "{hits}:claim:lost"
      _ = try redis.command("SET", lost, "1 1")
      _ = try redis.command("ZADD", "{hits}:claims", "1", lost, "1", "{hits}:claim:gone")
      var loop = try CountingLoop(redis)
      try loop.connect()
      guard case .integer(let life) = try redis.command("PTTL", lost) else {
        Issue.record("no time to live")
        return
      }
      #expect(life > 0)
      #expect(try redis.command("ZSCORE", "{hits}:claims", "{hits}:claim:gone") == .missing)
    }
  }

  @Test("connects at once for the first visit that waits, and not again for each further one")
  func firstVisit() throws {
    try withRedis(started: false) { redis throws in
      var loop = try CountingLoop(redis)
      // The back-off has grown to half a second by then.
      try loop.turn(until: "several attempts have failed") { $0.figures.redis.failed.current >= 8 }
      let before = loop.figures.redis.failed.current
      loop.stopClock()
      loop.count(0)
      try loop.turn(until: "an attempt has failed") { $0.figures.redis.failed.current > before }
      for ticket: UInt128 in 1...100 {
        loop.count(ticket)
        try loop.turn()
      }
      #expect(loop.figures.redis.failed.current == before + 1)
    }
  }

  @Test("backs off from a Redis that refuses, however many visits arrive meanwhile")
  func refusedBatch() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      _ = try redis.command("CONFIG", "SET", "maxmemory", "1")
      let end = Instant.now + .seconds(1)
      var ticket: UInt128 = 0
      while Instant.now < end {
        loop.count(ticket)
        ticket += 1
        try loop.turn()
      }
      #expect(ticket > 50)
      #expect(loop.figures.redis.connected.current < 15)
      #expect(loop.figures.refused.current < 15)
    }
  }

  @Test("ends a batch that Redis calls stale, and does not send it again")
  func stale() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      guard case .list(let keys) = try redis.command("KEYS", "{hits}:claim:*") else {
        Issue.record("no claim")
        return
      }
      _ = try redis.command("SET", try #require(keys.first?.text), "9 100")
      loop.count(1)
      try loop.turn(until: "it is answered") { $0.outcomes.count == 1 }
      #expect(loop.numbers == [-1])
      #expect(loop.counting.lastError?.hasPrefix("STALE") == true)
      #expect(try redis.hits == nil)
    }
  }

  @Test("removes an expiry of the counter, after which numbers would be given again")
  func counterExpiry() throws {
    try withRedis { redis throws in
      _ = try redis.command("SET", "hits", "41", "EX", "600")
      var loop = try CountingLoop(redis)
      loop.count(1)
      try loop.turn(until: "it is answered") { $0.outcomes.count == 1 }
      #expect(loop.numbers == [42])
      guard case .integer(let life) = try redis.command("PTTL", "hits") else {
        Issue.record("no time to live")
        return
      }
      #expect(life == -1)
    }
  }

  @Test("goes on after the scripts were flushed")
  func scriptFlush() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      for ticket: UInt128 in 0..<3 {
        _ = try redis.command("SCRIPT", "FLUSH")
        loop.count(ticket)
        try loop.turn(until: "it is answered") { $0.outcomes.count == Int(ticket) + 1 }
      }
      #expect(loop.numbers == [1, 2, 3])
    }
  }

  @Test("says what is wrong with the key at once, and goes on when it is mended")
  func defect() throws {
    try withRedis { redis throws in
      _ = try redis.command("LPUSH", "hits", "a")
      var loop = try CountingLoop(redis)
      try loop.connect()
      loop.count(1)
      try loop.turn(until: "it is answered") { $0.outcomes.count == 1 }
      #expect(loop.numbers == [-1])
      #expect(loop.results == [.notAnInteger])
      #expect(loop.counting.lastError?.contains("hits") == true)
      #expect(loop.counting.isConnected == true)
      _ = try redis.command("DEL", "hits")
      loop.count(2)
      try loop.turn(until: "it is answered") { $0.outcomes.count == 2 }
      #expect(loop.numbers == [-1, 1])
      #expect(loop.counting.lastError == nil)
    }
  }

  @Test("waits while Redis cannot write, and counts when it can")
  func transient() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      _ = try redis.command("CONFIG", "SET", "maxmemory", "1")
      loop.count(1)
      try loop.turn(until: "it is refused") { $0.counting.lastError != nil }
      #expect(loop.outcomes.isEmpty)
      _ = try redis.command("CONFIG", "SET", "maxmemory", "0")
      try loop.turn(until: "it is answered") { $0.outcomes.count == 1 }
      #expect(loop.numbers == [1])
      #expect(try redis.hits == "1")
    }
  }
}
