import System
import Redis
import Testing

@testable import Counting
@testable import TestSupport

/// A counter and its loop, turned by hand, with a clock that can be put forward.
private struct CountingLoop: ~Copyable {
  var counter: Counter
  private let poller: Poller
  private var events = Events()
  private var skipped = Interval.seconds(0)

  /// Emulates a slow Redis: each event is seen so much later than it came.
  var latency = Interval.seconds(0)

  /// Whether the batch was filling at the end of the last turn, before what could go was sent.
  private(set) var wasFilling = false

  /// What came of the visits, by ticket, in the order the answers came.
  private(set) var answers: [(ticket: UInt128, number: Int64?)] = []

  init(_ redis: borrowing RedisProcess, timeout: Interval = .seconds(5)) throws {
    let poller = try Poller()
    let location = try RedisAddress(redis.url)
    let counter = try Counter("hits", in: location, timeout: timeout, poller, owner: 0)
    self.poller = poller
    self.counter = counter
  }

  mutating func turn() throws {
    try poller.wait(from: .now, until: .now + .milliseconds(2), &events)
    if events.count > 0, latency > .seconds(0) { pass(latency) }
    counter.beginRound(.now + skipped)
    for index in 0..<events.count {
      counter.ready(events[index])
      takeAnswers()
    }
    counter.tick()
    takeAnswers()
    wasFilling = counter.isFilling
    counter.dispatch()
  }

  /// Lets time pass on the clock without an event: each deadline on the way is met when it is due.
  private mutating func pass(_ interval: Interval) {
    let end = .now + skipped + interval
    while counter.deadline < end {
      skipped = skipped + max(counter.deadline - (.now + skipped), .seconds(0))
      counter.beginRound(.now + skipped)
      counter.tick()
      takeAnswers()
    }
    skipped = skipped + max(end - (.now + skipped), .seconds(0))
  }

  private mutating func takeAnswers() {
    while let answer = counter.nextAnswer() { answers.append((answer.ticket, answer.number)) }
  }

  mutating func turn(
    until what: Comment, _ condition: (borrowing CountingLoop) throws -> Bool
  ) throws {
    for _ in 0..<2000 {
      if try condition(self) { return }
      try turn()
    }
    Issue.record("never: \(what)")
  }

  mutating func connect() throws {
    try turn(until: "connected") { $0.counter.isConnected }
  }

  mutating func skip(_ interval: Interval) throws {
    skipped = skipped + interval
    try turn()
  }

  /// The numbers in the order the answers came; 503 is -1.
  var numbers: [Int64] { answers.map { $0.number ?? -1 } }
}

@Suite("The counter")
struct CounterTests {
  @Test("numbers visits in the order they came, a batch at a time")
  func order() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      _ = try redis.command("CONFIG", "RESETSTAT")
      for ticket: UInt128 in 0..<10 { loop.counter.count(ticket) }
      loop.counter.dispatch()
      for ticket: UInt128 in 10..<15 { loop.counter.count(ticket) }
      try loop.turn(until: "all are answered") { $0.answers.count == 15 }
      #expect(loop.answers.map(\.ticket) == Array(0..<15))
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
        loop.counter.count(ticket)
        try loop.turn()
      }
      #expect(loop.answers.isEmpty)
      redis.thaw()
      try loop.turn(until: "all are answered") { $0.answers.count == 5 }
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
          loop.counter.count(asked)
          asked += 1
          try loop.turn(until: "it is answered") { $0.answers.count == asked }
        }
        try redis.stop()
        try redis.tearLog(in: .transactionOfAnother)
        try redis.start()
        try loop.turn(until: "it is noticed") { !$0.counter.isConnected }
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
        loop.counter.count(ticket)
        try loop.turn(until: "it is answered") { $0.answers.count == ticket + 1 }
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

  @Test("fills its batch while a round brings many visits, and not when it brings few")
  func filling() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      var asked: UInt128 = 0
      // A round brings visits; is the next one worth a look before the batch goes?
      for (visits, isFilling) in [(0, false), (1, true), (0, false), (3, true), (1, false)] {
        loop.counter.beginRound(.now)
        for _ in 0..<visits {
          loop.counter.count(asked)
          asked += 1
        }
        #expect(loop.counter.isFilling == isFilling, "\(visits) of \(asked)")
      }
      loop.counter.dispatch()
      loop.counter.beginRound(.now)
      loop.counter.count(asked)
      #expect(loop.counter.isFilling == false, "a batch is on its way, so there is time anyway")
      try loop.turn(until: "the batch is answered") { $0.answers.count == 5 }
      #expect(loop.wasFilling == true, "what came meanwhile could not have gone before")
      try loop.turn(until: "all are answered") { $0.answers.count == 6 }
      #expect(loop.numbers == [1, 2, 3, 4, 5, 6])
    }
  }

  @Test("does not wait for more visits while Redis is away")
  func fillingInVain() throws {
    try withRedis(started: false) { redis throws in
      var loop = try CountingLoop(redis)
      loop.counter.beginRound(.now)
      loop.counter.count(1)
      #expect(loop.counter.isFilling == false)
    }
  }

  @Test("does not count what was never sent, when it runs out of time")
  func expiredUnsent() throws {
    try withRedis(started: false) { redis throws in
      var loop = try CountingLoop(redis)
      loop.counter.count(1)
      try loop.skip(.seconds(4))
      loop.counter.count(2)
      try loop.skip(.seconds(2))
      #expect(loop.answers.map(\.ticket) == [1])
      #expect(loop.numbers == [-1])
      try redis.start()
      try loop.turn(until: "the other is answered") { $0.answers.count == 2 }
      #expect(loop.numbers == [-1, 1])
      #expect(try redis.hits == "1")
    }
  }

  @Test("answers the rest of a batch with the right numbers when some ran out of time in it")
  func expiredInFlight() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      redis.freeze()
      loop.counter.count(1)
      loop.counter.count(2)
      loop.counter.dispatch()
      try loop.skip(.seconds(4))
      loop.counter.count(3)
      try loop.skip(.seconds(2))
      #expect(loop.numbers == [-1, -1])
      redis.thaw()
      try loop.turn(until: "the third is answered") { $0.answers.count == 3 }
      // The two that were given up counted once or, if the command was lost, not at all.
      let number = try #require(loop.answers[2].number)
      #expect((1...3).contains(number))
      try loop.turn()
      #expect(try redis.hits == "\(number)")
    }
  }

  @Test("sends a batch again after its connection broke, and counts it once")
  func resend() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      var asked: UInt128 = 0
      for round in 0..<20 {
        for _ in 0...round {
          loop.counter.count(asked)
          asked += 1
        }
        loop.counter.dispatch()
        // Redis has most likely counted the batch when its reply is thrown away.
        _ = try redis.command("CLIENT", "KILL", "TYPE", "normal")
        try loop.turn(until: "the batch is answered") { $0.answers.count == Int(asked) }
      }
      #expect(loop.numbers == (1...Int64(asked)).map(\.self))
      #expect(try redis.hits == "\(asked)")
    }
  }

  @Test("goes on after the scripts were flushed")
  func scriptFlush() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      for ticket: UInt128 in 0..<3 {
        _ = try redis.command("SCRIPT", "FLUSH")
        loop.counter.count(ticket)
        try loop.turn(until: "it is answered") { $0.answers.count == Int(ticket) + 1 }
      }
      #expect(loop.numbers == [1, 2, 3])
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
        loop.counter.count(ticket)
        try loop.turn(until: "it is answered") { $0.answers.count == ticket + 1 }
      }
      #expect(loop.numbers == [1, 2, 3, 4, 5])
    }
  }

  @Test("says what is wrong with the key at once, and goes on when it is mended")
  func defect() throws {
    try withRedis { redis throws in
      _ = try redis.command("LPUSH", "hits", "a")
      var loop = try CountingLoop(redis)
      try loop.connect()
      loop.counter.count(1)
      try loop.turn(until: "it is answered") { $0.answers.count == 1 }
      #expect(loop.numbers == [-1])
      #expect(loop.counter.refusal?.contains("WRONGTYPE") == true)
      #expect(loop.counter.isConnected == true)
      _ = try redis.command("DEL", "hits")
      loop.counter.count(2)
      try loop.turn(until: "it is answered") { $0.answers.count == 2 }
      #expect(loop.numbers == [-1, 1])
      #expect(loop.counter.refusal == nil)
    }
  }

  @Test("waits while Redis cannot write, and counts when it can")
  func transient() throws {
    try withRedis { redis throws in
      var loop = try CountingLoop(redis)
      try loop.connect()
      _ = try redis.command("CONFIG", "SET", "maxmemory", "1")
      loop.counter.count(1)
      try loop.turn(until: "it is refused") { $0.counter.refusal != nil }
      #expect(loop.answers.isEmpty)
      _ = try redis.command("CONFIG", "SET", "maxmemory", "0")
      try loop.turn(until: "it is answered") { $0.answers.count == 1 }
      #expect(loop.numbers == [1])
      #expect(try redis.hits == "1")
    }
  }
}
