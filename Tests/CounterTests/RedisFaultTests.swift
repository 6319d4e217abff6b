import Foundation
import Testing

@testable import TestSupport

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
        #expect(ContinuousClock.now - began < .milliseconds(2500))
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
      #expect(ContinuousClock.now - began < .seconds(3))
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
      #expect(ContinuousClock.now - back < .seconds(3))
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

  // MARK: Redis fails under load

  @Test("Redis killed and started again under load: none failed, none doubled, none skipped")
  func killed() throws {
    try withCounterAndRedis(["--visit-timeout", "15"]) { counter, redis in
      let visitors = Visitors(16, ports: [counter.port])
      for _ in 0..<6 {
        try visitors.waitUntilAnswered(more: 300)
        redis.crash()
        try redis.start()
      }
      try visitors.waitUntilAnswered(more: 300)
      try expectExact(visitors.stop(), in: redis)
    }
  }

  @Test("Redis stopped in order and started again under load: the same")
  func stopped() throws {
    try withCounterAndRedis(["--visit-timeout", "15"]) { counter, redis in
      let visitors = Visitors(16, ports: [counter.port])
      for _ in 0..<2 {
        try visitors.waitUntilAnswered(more: 300)
        try redis.stop()
        try redis.start()
      }
      try visitors.waitUntilAnswered(more: 300)
      try expectExact(visitors.stop(), in: redis)
    }
  }

  @Test("Redis killed under two counters: the same")
  func killedUnderTwoCounters() throws {
    try withCounterAndRedis(["--visit-timeout", "15"]) { one, redis in
      try withCounter(["--redis", redis.url, "--visit-timeout", "15"]) { other in
        let visitors = Visitors(16, ports: [one.port, other.port])
        for _ in 0..<2 {
          try visitors.waitUntilAnswered(more: 300)
          redis.crash()
          try redis.start()
        }
        try visitors.waitUntilAnswered(more: 300)
        try expectExact(visitors.stop(), in: redis)
      }
    }
  }

  @Test("A link that cuts requests and replies anywhere: none failed, none doubled, none skipped")
  func badLink() throws {
    try withRedis { redis in
      try withLinkProxy(to: redis) { proxy in
        let flags = ["--redis", "redis://127.0.0.1:\(proxy.port)", "--visit-timeout", "20"]
        try withCounter(flags) { counter in
          let visitors = Visitors(16, ports: [counter.port])
          try visitors.waitUntilAnswered(100)
          // Connections that stand are healthy; the restart gives each loop a bad one.
          proxy.misbehaving = true
          redis.crash()
          try redis.start()
          let enough = ContinuousClock.now + .seconds(4)
          try waitUntil("the link has broken often") {
            proxy.broken >= 60 || ContinuousClock.now > enough
          }
          #expect(proxy.broken >= 10)
          proxy.misbehaving = false
          try visitors.waitUntilAnswered(more: 100)
          try expectExact(visitors.stop(), in: redis)
        }
      }
    }
  }

  @Test("When visits fail, too: no number twice, and who was told 503 counts once at most")
  func badLinkAndShortPatience() throws {
    try withRedis { redis in
      try withLinkProxy(to: redis) { proxy in
        let flags = ["--redis", "redis://127.0.0.1:\(proxy.port)", "--visit-timeout", "0.2"]
        try withCounter(flags) { counter in
          let visitors = Visitors(16, ports: [counter.port])
          try visitors.waitUntilAnswered(100)
          proxy.misbehaving = true
          redis.crash()
          try redis.start()
          for _ in 0..<4 {
            redis.freeze()
            Thread.sleep(forTimeInterval: 0.3)
            redis.thaw()
            try visitors.waitUntilAnswered(more: 50)
          }
          proxy.misbehaving = false
          try visitors.waitUntilAnswered(more: 50)
          let tally = try visitors.stop()
          let hits = try #require(Int(try redis.hits ?? ""))
          #expect(tally.failures.count { !$0.contains("503") } == 0)
          #expect(tally.doubled == 0)
          #expect(tally.outOfOrder == 0)
          #expect(hits >= tally.visits.count)
          #expect(hits <= tally.visits.count + tally.failures.count)
          #expect(!tally.failures.isEmpty, "otherwise this shows nothing")
        }
      }
    }
  }

  @Test("Redis frozen for less than the visit timeout: none failed, none doubled, none skipped")
  func frozen() throws {
    try withCounterAndRedis(["--visit-timeout", "15"]) { counter, redis in
      let visitors = Visitors(16, ports: [counter.port])
      for _ in 0..<2 {
        try visitors.waitUntilAnswered(more: 200)
        redis.freeze()
        Thread.sleep(forTimeInterval: 0.7)
        redis.thaw()
      }
      try visitors.waitUntilAnswered(more: 200)
      try expectExact(visitors.stop(), in: redis)
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
      #expect(ContinuousClock.now - began < .milliseconds(2500))
      redis.thaw()
      let number = try client.visit()
      #expect((2...12).contains(number))
      #expect(try client.visit() == number + 1)
      #expect(try redis.hits == "\(number + 1)")
    }
  }

  @Test("Scripts flushed again and again under load: none failed, none doubled, none skipped")
  func scriptsFlushed() throws {
    try withCounterAndRedis { counter, redis in
      let visitors = Visitors(16, ports: [counter.port])
      for _ in 0..<100 {
        try visitors.waitUntilAnswered(more: 10)
        #expect(try redis.command("SCRIPT", "FLUSH") == .status("OK"))
      }
      try expectExact(visitors.stop(), in: redis)
    }
  }

  @Test("Redis cuts off every client again and again under load: the same")
  func clientsCutOff() throws {
    try withCounterAndRedis(["--visit-timeout", "15"]) { counter, redis in
      let visitors = Visitors(16, ports: [counter.port])
      for _ in 0..<20 {
        try visitors.waitUntilAnswered(more: 20)
        _ = try redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      }
      try visitors.waitUntilAnswered(more: 20)
      try expectExact(visitors.stop(), in: redis)
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

  @Test("A user of Redis's own, with a password in percent-encoding")
  func user() throws {
    try withRedis { redis in
      let rules = ["ACL", "SETUSER", "visitors", "on", ">p@ss/1:2", "~*", "&*", "+@all"]
      #expect(try RESPClient(.ipv4(redis.port)).command(rules) == .status("OK"))
      let off = try redis.command("ACL", "SETUSER", "default", "resetpass", ">other")
      #expect(off == .status("OK"))
      let url = "redis://visitors:p%40ss%2F1%3A2@127.0.0.1:\(redis.port)"
      try withCounter(["--redis", url]) { counter in
        let number = try counter.visit()
        #expect(number == 1)
        #expect(!counter.log.contains("p@ss") && !counter.log.contains("p%40ss"))
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
