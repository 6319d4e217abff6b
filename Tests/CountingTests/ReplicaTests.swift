import Redis
import System
import Telemetry
import Testing

@testable import Counting
@testable import TestSupport

@Suite("Replicas of Redis that are waited for")
struct ReplicaTests {
  /// Lends a redis-server and a replica of it that is up to date.
  private func withReplica(_ body: (RedisProcess, RedisProcess) throws -> Void) throws {
    try withRedis { primary throws in
      try withRedis(flags: ["--replicaof", "127.0.0.1", "\(primary.port)"]) { replica throws in
        try primary.awaitReplicas(1)
        try body(primary, replica)
      }
    }
  }

  @Test("answer before a visit is answered, and none is counted twice for it")
  func answersWhenConfirmed() throws {
    try withReplica { primary, replica throws in
      var loop = try CountingLoop(primary, minReplicas: 1)
      loop.count(1)
      try loop.turn(untilAnswered: 1)
      replica.freeze()
      loop.count(2)
      loop.visit(3, "a/b")
      try loop.turn(until: "the batch is sent again") { $0.figures.unconfirmed.current == 1 }
      #expect(loop.numbers == [1])
      #expect(try primary.hits == "2")
      #expect(loop.counting.isConnected == true)
      #expect(loop.counting.isCounting == false)
      #expect(loop.counting.replicas == 0)
      replica.thaw()
      try loop.turn(untilAnswered: 3)
      #expect(loop.numbers == [1, 2, 1])
      #expect(loop.counting.isCounting == true)
      #expect(loop.counting.replicas == 1)
      #expect(try primary.hits == "2")
      #expect(loop.figures.interrupted.current == 0)
    }
  }

  @Test("are missing until the time of the visits is up, and the next ones count when one is back")
  func expires() throws {
    try withRedis { primary throws in
      var loop = try CountingLoop(primary, timeout: .milliseconds(1500), minReplicas: 1)
      try loop.connect()
      for ticket: UInt128 in 0..<10 { loop.count(ticket) }
      try loop.turn(untilAnswered: 10)
      #expect(loop.results == Array(repeating: .unavailable, count: 10))
      #expect(try primary.hits == "10")
      // The batch of nobody is given up without closing the connection.
      try loop.turn(until: "the batch is given up") { $0.figures.waiting.current == 0 }
      #expect(loop.figures.redis.lost.current == 0)
      try withRedis(flags: ["--replicaof", "127.0.0.1", "\(primary.port)"]) { replica throws in
        try primary.awaitReplicas(1)
        // A visit's time begins with the round.
        try loop.turn()
        loop.count(10)
        try loop.turn(untilAnswered: 11)
        #expect(loop.numbers.last == 11)
        #expect(try replica.hits == "11")
      }
    }
  }

  @Test("are asked for while nobody visits")
  func probes() throws {
    try withReplica { primary, replica throws in
      _ = try primary.command("CONFIG", "RESETSTAT")
      let start = Instant.now
      var loop = try CountingLoop(primary, minReplicas: 1)
      try loop.turn(until: "a replica is known") { $0.counting.replicas == 1 }
      #expect(loop.counting.isCounting == true)
      replica.crash()
      try loop.turn(until: "its loss is noticed") { $0.counting.replicas == 0 }
      #expect(loop.counting.isCounting == false)
      try replica.start()
      try loop.turn(until: "it is back") { $0.counting.replicas == 1 }
      let seconds = Int((.now - start).nanoseconds / 1_000_000_000)
      #expect(try primary.callCount("wait") <= seconds + 2)
    }
  }

  @Test("have each number that was answered, also one that was only read")
  func reads() throws {
    try withReplica { primary, replica throws in
      var loop = try CountingLoop(primary, minReplicas: 1)
      loop.visit(1, "a/b")
      try loop.turn(untilAnswered: 1)
      replica.freeze()
      // Another client writes what no replica has.
      _ = try primary.command("SET", counterKey("a/b"), "1000")
      loop.visit(2, "a/b", .read)
      try loop.turn(until: "the batch is sent again") { $0.figures.unconfirmed.current == 1 }
      #expect(loop.outcomes.count == 1)
      replica.thaw()
      try loop.turn(untilAnswered: 2)
      #expect(loop.numbers == [1, 1000])
      #expect(try replica.command("GET", counterKey("a/b")) == .text("1000"))
    }
  }

  @Test("are waited for again after the connection broke at any byte of the two replies")
  func broken() throws {
    try withReplica { primary, _ throws in
      let relay = try Relay(to: primary)
      var loop = try CountingLoop(primary, through: relay, minReplicas: 1)
      try loop.connect()
      for cut in 0..<16 {
        relay.lose(.replyAfter(cut))
        loop.count(UInt128(cut))
        try loop.turn(untilAnswered: cut + 1)
        #expect(relay.loss == nil)
      }
      #expect(loop.numbers == Array(1...16))
      #expect(try primary.hits == "16")
    }
  }

  @Test("are waited for with the text of the script, when Redis has forgotten it")
  func unknownScript() throws {
    try withReplica { primary, _ throws in
      var loop = try CountingLoop(primary, minReplicas: 1)
      for ticket: UInt128 in 1...3 {
        _ = try primary.command("SCRIPT", "FLUSH")
        loop.count(ticket)
        try loop.turn(untilAnswered: Int(ticket))
      }
      #expect(loop.numbers == [1, 2, 3])
    }
  }

  @Test("cannot be asked for at a Redis that refuses WAIT: it counts, and answers nobody")
  func refused() throws {
    try withRedis { redis throws in
      _ = try redis.command("ACL", "SETUSER", "default", "-wait")
      var loop = try CountingLoop(redis, timeout: .seconds(1), minReplicas: 1)
      loop.count(1)
      try loop.turn(untilAnswered: 1)
      #expect(loop.results == [.unavailable])
      #expect(loop.counting.lastError?.hasPrefix("NOPERM") == true)
      #expect(try redis.hits == "1")
    }
  }
}
