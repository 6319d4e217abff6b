import System
import Telemetry
import Testing

@testable import Counting
@testable import TestSupport

@Suite("A batch that is sent again")
struct ResendTests {
  /// A loop that has had a batch carried out, and whose Redis knows the script.
  private func withLoop(
    seed: UInt64,
    _ body: (inout CountingLoop, inout VisitTrial, Relay, RedisProcess) throws -> Void
  ) throws {
    try withRedis { redis throws in
      let relay = try Relay(to: redis)
      var trial = VisitTrial(seed: seed)
      var loop = try CountingLoop(redis, through: relay)
      try loop.connect()
      try answer(5, &loop, &trial)
      try body(&loop, &trial, relay, redis)
      try trial.compare(loop, redis)
      try loop.turn()
      #expect(loop.figures.knownKeys.current == 0)
    }
  }

  /// Has visits carried out in one batch or a few.
  private func answer(
    _ count: Int, _ loop: inout CountingLoop, _ trial: inout VisitTrial
  ) throws {
    let answered = loop.outcomes.count
    trial.visit(&loop, count: count)
    try loop.turn(untilAnswered: answered + count)
  }

  @Test("is carried out once when its command is cut at any place", arguments: 0..<4)
  func commandCut(part: Int) throws {
    try withLoop(seed: UInt64(part)) { loop, trial, relay, redis in
      try answer(20, &loop, &trial)
      let count = relay.lastBatch.count
      for end in stride(from: part * 11, to: count, by: 44) {
        relay.lose(.commandAfter(end))
        try answer(20, &loop, &trial)
        #expect(relay.loss == nil)
        try trial.compare(loop, redis)
      }
      #expect(loop.figures.interrupted.current >= count / 44)
    }
  }

  @Test("is carried out once when its reply is cut at any place", arguments: 0..<4)
  func replyCut(part: Int) throws {
    try withLoop(seed: 10 + UInt64(part)) { loop, trial, relay, redis in
      for end in stride(from: part, to: 40, by: 4) {
        relay.lose(.replyAfter(end))
        try answer(20, &loop, &trial)
        #expect(relay.loss == nil)
        try trial.compare(loop, redis)
      }
      #expect(loop.figures.interrupted.current >= 10)
    }
  }

  @Test("is answered as the first time when its reply became an error")
  func lostReply() throws {
    try withRedis { redis throws in
      let text = BatchScript.exactlyOnce.text.replacing(
        "return reply", with: "return redis.error_reply('LOST the outcomes')")
      let digest = try #require(try redis.command("SCRIPT", "LOAD", text).text)
      var trial = VisitTrial(seed: 20)
      var loop = try CountingLoop(redis, script: BatchScript(text: text, digest: digest))
      try loop.connect()
      for round in 1...15 {
        // A batch that only reads leaves no record, and would be an error each time.
        trial.hit(&loop)
        let answered = loop.outcomes.count + 1
        trial.visit(&loop, count: round)
        try loop.turn(untilAnswered: answered + round)
      }
      try trial.compare(loop, redis)
      #expect(try redis.errorCount("LOST") >= 10)
    }
  }

  @Test("is carried out once when Redis is killed before or after it, or its connection is")
  func killed() throws {
    try withLoop(seed: 30) { loop, trial, relay, redis in
      for round in 0..<12 {
        let answered = loop.outcomes.count
        if round % 2 == 0 { relay.lose(.replyAfter(round)) }
        trial.visit(&loop, count: 20)
        try loop.send()
        for _ in 0..<round / 2 { try loop.turn() }
        if round % 3 == 0 {
          _ = try redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        } else {
          redis.crash()
          try redis.start()
        }
        try loop.turn(untilAnswered: answered + 20)
        try trial.compare(loop, redis)
      }
    }
  }

  @Test("is carried out once when Redis refused it, and forgot the script")
  func refused() throws {
    try withLoop(seed: 40) { loop, trial, _, redis in
      for _ in 0..<5 {
        let answered = loop.outcomes.count
        let refused = loop.figures.refused.current
        _ = try redis.command("CONFIG", "SET", "maxmemory", "1")
        trial.visit(&loop, count: 20)
        try loop.turn(until: "it is refused") { $0.figures.refused.current > refused }
        #expect(loop.outcomes.count == answered)
        _ = try redis.command("CONFIG", "SET", "maxmemory", "0")
        _ = try redis.command("SCRIPT", "FLUSH")
        try loop.turn(untilAnswered: answered + 20)
        try trial.compare(loop, redis)
      }
    }
  }

  @Test("is carried out once when a copy of it comes after it, and after a later one")
  func lateCopies() throws {
    try withLoop(seed: 50) { loop, trial, relay, redis in
      var copies: [[UInt8]] = []
      for _ in 0..<20 {
        try answer(10, &loop, &trial)
        copies.append(relay.lastBatch)
        for copy in copies.suffix(3) {
          let socket = try Socket.connect(to: .ipv4(redis.port))
          try socket.send(copy)
          #expect(try !socket.receive().isEmpty)
        }
        try trial.compare(loop, redis)
      }
    }
  }
}
