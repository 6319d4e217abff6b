import Foundation
import Testing

@testable import TestSupport

@Suite("A Redis that is lost for good", .serialized)
struct FailoverTests {
  /// A primary, a replica of it, and the socket at which a counter finds whichever of them serves.
  private func withReplica(_ body: (RedisProcess, RedisProcess, String) throws -> Void) throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let socket = "\(folder.path)/redis.sock"
    try withRedis { primary throws in
      try withRedis(flags: ["--replicaof", "127.0.0.1", "\(primary.port)"]) { replica throws in
        try lead(socket, to: primary)
        try primary.awaitReplicas(1)
        try body(primary, replica, socket)
      }
    }
  }

  private func lead(_ socket: String, to redis: RedisProcess) throws {
    try? FileManager.default.removeItem(atPath: socket)
    try FileManager.default.createSymbolicLink(
      atPath: socket, withDestinationPath: redis.socketPath)
  }

  /// From here on the replica gets nothing of what is written.
  private func cutOff(_ replica: RedisProcess, from primary: RedisProcess) throws {
    replica.freeze()
    _ = try primary.command("CLIENT", "KILL", "TYPE", "REPLICA")
  }

  /// Loses the primary for good, and promotes the replica.
  private func failOver(
    from primary: RedisProcess, to replica: RedisProcess, _ socket: String
  ) throws {
    primary.crash()
    replica.thaw()
    _ = try replica.command("REPLICAOF", "NO", "ONE")
    try lead(socket, to: replica)
  }

  @Test("costs no number that was answered, with --min-replicas")
  func waits() throws {
    try withReplica { primary, replica, socket throws in
      let flags = ["--redis", "unix:\(socket)", "--min-replicas", "1", "--threads", "1"]
      try withCounter(flags + ["--visit-timeout", "20"]) { counter in
        let client = try counter.client()
        #expect(try client.visit() == 1)
        #expect(try client.get("/ready").status == 200)
        try cutOff(replica, from: primary)
        // The visit is in the primary only, so nobody is told its number.
        let waiting = try counter.client(limit: .seconds(20))
        try waiting.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        try waitUntil("the primary has added the visit") { try primary.hits == "2" }
        #expect(try waiting.hearsNothing(for: .milliseconds(300)))
        try waitUntil("/ready says why") {
          let ready = try client.get("/ready")
          return ready.status == 503 && ready.body == "0 of 1 replicas of Redis answer"
        }
        try failOver(from: primary, to: replica, socket)
        // The one that serves now needs a replica of its own.
        try withRedis(flags: ["--replicaof", "127.0.0.1", "\(replica.port)"]) { _ in
          let response = try waiting.readResponse()
          #expect(response.status == 200)
          #expect(response.body.contains("seen 2 times"))
          #expect(try client.visit() == 3)
          #expect(try client.get("/ready").status == 200)
          #expect(try replica.hits == "3")
        }
        #expect(
          counter.linesLogged(with: "visits cannot be counted: 0 of 1 replicas of Redis") > 0)
      }
    }
  }

  @Test("gives numbers twice without --min-replicas, or this test would show nothing")
  func waitsForNobody() throws {
    try withReplica { primary, replica, socket throws in
      try withCounter(["--redis", "unix:\(socket)", "--threads", "1"]) { counter in
        #expect(try counter.visit() == 1)
        try primary.awaitReplicas(1)
        try cutOff(replica, from: primary)
        #expect(try counter.visit() == 2)
        try failOver(from: primary, to: replica, socket)
        #expect(try counter.visit() == 2)
      }
    }
  }

  @Test("at any moment of the load costs no number, with --min-replicas")
  func underLoad() throws {
    try withReplica { primary, replica, socket throws in
      let flags = ["--redis", "unix:\(socket)", "--min-replicas", "1", "--threads", "2"]
      try withCounter(flags + ["--visit-timeout", "20"]) { counter in
        let visitors = Visitors(32, ports: [counter.port])
        try visitors.waitUntilAnswered(more: 500)
        Thread.sleep(forTimeInterval: .random(in: 0...0.05))
        try failOver(from: primary, to: replica, socket)
        try withRedis(flags: ["--replicaof", "127.0.0.1", "\(replica.port)"]) { _ in
          try visitors.waitUntilAnswered(more: 500)
          let tally = try visitors.stop()
          let count = Int64(try replica.hits ?? "0") ?? -1
          #expect(Findings(tally, count: count).isExact)
          #expect(tally.numbers.count >= 1000)
        }
      }
    }
  }

  @Test("does not log that visits are counted again when only the connection was lost")
  func noRecovery() throws {
    try withRedis { redis throws in
      let flags = ["--redis", redis.url, "--min-replicas", "1", "--threads", "1"]
      try withCounter(flags) { counter in
        let shortage = "visits cannot be counted: 0 of 1 replicas of Redis"
        try waitUntil("the log says what is wrong") { counter.linesLogged(with: shortage) == 1 }
        for _ in 0..<4 {
          _ = try redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
          // Time to connect, to be told of the shortage again, and to log it wrongly.
          Thread.sleep(forTimeInterval: 0.5)
        }
        #expect(counter.linesLogged(with: "counted again") == 0)
        #expect(counter.linesLogged(with: shortage) == 1)
      }
    }
  }
}
