import Foundation
import Testing

@testable import TestSupport

/// Faults one at a time; what happens under load is the chaos suite's.
@Suite("Faults of Redis", .serialized)
struct RedisFaultTests {
  private static let visit = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

  // MARK: Redis is away

  @Test("While Redis is away visits wait, are told 503 in time, and never count")
  func away() throws {
    try withCounterAndRedis(["--visit-timeout", "1"]) { counter, redis in
      try redis.stop()
      try counter.waitUntilLogged("Redis lost")
      let client = try counter.client()
      for _ in 0..<2 {
        let began = ContinuousClock.now
        try expectUnavailable(client.get("/"))
        #expect(ContinuousClock.now - began > .milliseconds(900))
        #expect(ContinuousClock.now - began < withSlack(.milliseconds(2500)))
      }
      #expect(try client.get("/health").status == 200)
      try redis.start()
      try counter.waitUntilLogged("Redis found")
      #expect(try client.visit() == 1)
    }
  }

  @Test("Many who wait are all told 503 in time")
  func manyAway() throws {
    try withCounterAndRedis(["--visit-timeout", "1"]) { counter, redis in
      redis.crash()
      let began = ContinuousClock.now
      let port = counter.port
      let answers = try inParallel(16) { _ in
        let client = try HTTPClient(port: port)
        try client.send(String(repeating: Self.visit, count: 10))
        return try (1...10).map { _ in try client.readResponse() }
      }
      for answer in answers.flatMap(\.self) { expectUnavailable(answer) }
      #expect(ContinuousClock.now - began < withSlack(.seconds(3)))
    }
  }

  @Test("Visits that wait when Redis comes back are all answered, and soon")
  func backInTime() throws {
    try withCounterAndRedis(["--visit-timeout", "15"]) { counter, redis in
      try redis.stop()
      let clients = try (0..<16).map { _ in try counter.client(limit: .seconds(20)) }
      for client in clients { try client.send(Self.visit) }
      #expect(try clients[0].hearsNothing(for: .milliseconds(300)))
      try redis.start()
      let back = ContinuousClock.now
      let numbers = try clients.compactMap { try $0.readResponse().number }
      #expect(numbers.sorted() == Array(1...16))
      #expect(ContinuousClock.now - back < withSlack(.seconds(3)))
      #expect(try redis.hits == "16")
    }
  }

  @Test("A counter that starts before its Redis serves as soon as that is there")
  func startedBeforeRedis() throws {
    try withRedis(started: false) { redis in
      try withCounter(["--redis", redis.url, "--visit-timeout", "15"]) { counter in
        let client = try counter.client(limit: .seconds(20))
        #expect(try client.get("/ready").status == 503)
        try client.send(Self.visit)
        #expect(try client.hearsNothing(for: .milliseconds(100)))
        try redis.start()
        #expect(try client.readResponse().number == 1)
      }
    }
  }

  @Test("Redis lost and found is one line each in the log")
  func log() throws {
    try withCounterAndRedis { counter, redis in
      #expect(try counter.visit() == 1)
      redis.crash()
      try counter.waitUntilLogged("Redis lost")
      try redis.start()
      #expect(try counter.visit() == 2)
      try counter.waitUntilLogged("Redis found")
      let lines = counter.log.split(separator: "\n")
      #expect(lines.count { $0.contains("Redis lost") } == 1)
      #expect(lines.count { $0.contains("Redis found") } == 1)
    }
  }

  @Test("Redis frozen for longer: visits are told 503 in time and count once at most")
  func frozenForLonger() throws {
    try withCounterAndRedis(["--visit-timeout", "1"]) { counter, redis in
      let client = try counter.client()
      #expect(try client.visit() == 1)
      redis.freeze()
      let began = ContinuousClock.now
      try client.send(String(repeating: Self.visit, count: 10))
      for _ in 0..<10 { try expectUnavailable(client.readResponse()) }
      #expect(ContinuousClock.now - began < withSlack(.milliseconds(2500)))
      redis.thaw()
      let number = try client.visit()
      #expect((2...12).contains(number))
      #expect(try client.visit() == number + 1)
      #expect(try redis.hits == "\(number + 1)")
    }
  }

  // MARK: Redis refuses

  @Test("A visit that Redis refuses is not asked for again, and the log says why once")
  func refused() throws {
    try withCounterAndRedis(["--threads", "1"]) { counter, redis in
      let client = try counter.client()
      #expect(try client.visit() == 1)
      for (value, times) in [("many", 1), ("\(Int64.max)", 2)] {
        _ = try redis.command("SET", "hits", value)
        let calls = try redis.callCount("evalsha")
        for _ in 0..<10 { try expectUnavailable(client.get("/")) }
        #expect(try redis.callCount("evalsha") - calls == 10)
        // It asks whether Redis is there every second, and for nothing else.
        #expect(try client.hearsNothing(for: .milliseconds(300)))
        #expect(try redis.callCount("evalsha") - calls == 10)
        #expect(
          counter.log.split(separator: "\n").count { $0.contains("cannot be counted") } == times)
        _ = try redis.command("SET", "hits", "6")
        #expect(try client.visit() == 7)
      }
    }
  }

  // MARK: How Redis is reached

  @Test("With the right password visits count, and the password stays secret")
  func password() throws {
    try withRedis(password: "pass-2f7d") { redis in
      let url = "redis://:pass-2f7d@127.0.0.1:\(redis.port)"
      try withCounter(["--redis", url]) { counter in
        #expect(try counter.visit() == 1)
        #expect(try redis.hits == "1")
        redis.crash()
        try counter.waitUntilLogged("Redis lost")
        try redis.start()
        #expect(try counter.visit() == 2)
        #expect(!counter.log.contains("pass-2f7d"))
      }
    }
  }

  @Test("With the wrong password nothing is ready, and the password stays secret")
  func wrongPassword() throws {
    try withRedis(password: "pass-2f7d") { redis in
      let url = "redis://:pass-wrong@127.0.0.1:\(redis.port)"
      try withCounter(["--redis", url, "--visit-timeout", "1"]) { counter in
        let client = try counter.client()
        #expect(try client.get("/ready").status == 503)
        try expectUnavailable(client.get("/"))
        let ready = try client.get("/ready")
        #expect(ready.status == 503)
        #expect(!ready.body.contains("pass-wrong"))
        #expect(!counter.log.contains("pass-wrong"))
        #expect(try redis.hits == nil)
      }
    }
  }

  /// A user of Redis's own, who may do what docs/operations.md says is needed.
  private static let visitors =
    ["ACL", "SETUSER", "visitors", "on", ">p@ss/1:2", "~hits", "~{hits}:claim:*"]
    + commandsNeeded.map { "+" + $0 }
  private static let commandsNeeded = ["ping", "eval", "evalsha", "get", "mset", "pexpire"]

  @Test("A user of Redis's own, with a password in percent-encoding")
  func user() throws {
    try withRedis { redis in
      #expect(try RESPClient(.ipv4(redis.port)).command(Self.visitors) == .status("OK"))
      let off = try redis.command("ACL", "SETUSER", "default", "resetpass", ">other")
      #expect(off == .status("OK"))
      let url = "redis://visitors:p%40ss%2F1%3A2@127.0.0.1:\(redis.port)"
      try withCounter(["--redis", url]) { counter in
        let number = try counter.visit()
        #expect(number == 1)
        #expect(!counter.log.contains("p@ss") && !counter.log.contains("p%40ss"))
        #expect(!counter.log.contains("warning"))
      }
    }
  }

  @Test(
    "A user who lacks a command is not counted, the log says why, and all is well with it",
    arguments: commandsNeeded)
  func forbidden(command: String) throws {
    try withRedis { redis in
      #expect(try RESPClient(.ipv4(redis.port)).command(Self.visitors) == .status("OK"))
      _ = try redis.command("ACL", "SETUSER", "visitors", "-" + command)
      let url = "redis://visitors:p%40ss%2F1%3A2@127.0.0.1:\(redis.port)"
      try withCounter(["--redis", url, "--visit-timeout", "1", "--threads", "1"]) { counter in
        let client = try counter.client()
        for _ in 0..<2 { try expectUnavailable(client.get("/")) }
        #expect(try redis.hits == nil)
        let complaints = ["Redis lost", "cannot be counted"].map { counter.linesLogged(with: $0) }
        // On a machine that is too busy, Redis may also be late.
        #expect((1...3).contains(complaints.reduce(0, +)))
        _ = try redis.command("ACL", "SETUSER", "visitors", "+" + command)
        let number = try client.visit()
        #expect(number == 1)
      }
    }
  }

  @Test("The number of a database is respected, also after a reconnect")
  func database() throws {
    try withRedis { redis in
      try withCounter(["--redis", redis.url + "/3"]) { counter in
        #expect(try counter.visit() == 1)
        redis.crash()
        try counter.waitUntilLogged("Redis lost")
        try redis.start()
        #expect(try counter.visit() == 2)
        #expect(try redis.hits == nil)
        let connection = try RESPClient(.ipv4(redis.port))
        #expect(try connection.command(["SELECT", "3"]) == .status("OK"))
        #expect(try connection.command(["GET", "hits"]) == .text("2"))
      }
    }
  }

  @Test("Redis is reached by name and over a unix socket")
  func addresses() throws {
    try withRedis { redis in
      for url in ["redis://localhost:\(redis.port)", "unix:\(redis.socketPath)"] {
        try withCounter(["--redis", url]) { counter in
          let number = try counter.visit()
          #expect(try redis.hits == "\(number)")
        }
      }
      #expect(try redis.hits == "2")
    }
  }

  @Test("A node of a Redis Cluster will do: a counter and its claims are in one slot")
  func cluster() throws {
    let flags = ["--cluster-enabled", "yes", "--cluster-port", "\(try FreePort.take())"]
    try withRedis(flags: flags) { redis in
      #expect(try redis.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383") == .status("OK"))
      try waitUntil("the cluster is up") {
        try redis.command("CLUSTER", "INFO").text?.contains("cluster_state:ok") == true
      }
      try withCounter(["--redis", redis.url]) { counter in
        let visitors = Visitors(4, ports: [counter.port])
        try visitors.waitUntilAnswered(100)
        try expectExact(visitors.stop(), in: redis)
      }
    }
  }

  @Test("Nobody's claim stays in Redis for good")
  func claimsExpire() throws {
    try withCounterAndRedis { counter, redis in
      #expect(try counter.visit() == 1)
      guard case .list(let keys) = try redis.command("KEYS", "*") else {
        Issue.record("KEYS answers a list")
        return
      }
      #expect(keys.count >= 2)
      for key in keys.compactMap(\.text) where key != "hits" {
        guard case .integer(let seconds) = try redis.command("TTL", key) else {
          Issue.record("TTL answers a number")
          return
        }
        #expect(seconds > 0, "\(key)")
      }
      #expect(try redis.command("TTL", "hits") == .integer(-1))
    }
  }
}
