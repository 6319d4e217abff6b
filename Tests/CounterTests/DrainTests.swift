import Foundation
import Glibc
import Testing

@testable import TestSupport

@Suite("Stopping", .serialized)
struct DrainTests {
  private static let visit = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

  @Test("SIGTERM and SIGINT stop an idle counter at once", arguments: [SIGTERM, SIGINT])
  func idle(signal: Int32) throws {
    try withCounterAndRedis { counter, _ in
      _ = try counter.visit()
      counter.send(signal: signal)
      #expect(try counter.waitForExit(within: .seconds(2)) == 0)
      #expect(counter.log.contains("draining"))
      #expect(counter.log.contains("stopped"))
    }
  }

  @Test("With a drain delay, clients are served for that long and told to look elsewhere")
  func delay() throws {
    try withCounterAndRedis(["--drain-delay", "2"]) { counter, redis in
      let idle = try counter.client()
      #expect(try idle.visit() == 1)
      let began = ContinuousClock.now
      counter.send(signal: SIGTERM)
      try counter.waitUntilLogged("draining in 2.0 s")
      #expect(try counter.client().get("/ready").status == 503)
      for number: Int64 in 2...20 {
        let response = try counter.client().get("/")
        #expect(response.number == number)
        #expect(response["Connection"] == "close")
      }
      let response = try idle.get("/")
      #expect(response.number == 21)
      #expect(response["Connection"] == "close")
      #expect(ContinuousClock.now - began < withSlack(.seconds(2)), "all of it before the drain")
      #expect(try counter.waitForExit() == 0)
      #expect(ContinuousClock.now - began > .seconds(2))
      #expect(try redis.hits == "21")
    }
  }

  @Test("A second signal ends the program at once during a drain delay")
  func delayCutShort() throws {
    try withCounterAndRedis(["--drain-delay", "60"]) { counter, _ in
      counter.send(signal: SIGTERM)
      try counter.waitUntilLogged("draining in 60.0 s")
      counter.send(signal: SIGTERM)
      #expect(try counter.waitForExit(within: .seconds(2)) == 75)
    }
  }

  @Test("SIGTERM under load: no visit fails, all are counted, exit 0", arguments: 1...3)
  func underLoad(round: Int) throws {
    try withCounterAndRedis(["--threads", "2"]) { counter, redis in
      let visitors = Visitors(16, ports: [counter.port], whenClosed: .stayAway)
      try visitors.waitUntilAnswered(300 * round)
      counter.send(signal: SIGTERM)
      #expect(try counter.waitForExit() == 0)
      try expectExact(visitors.waitUntilAllLeft(), in: redis)
    }
  }

  @Test("Pipelined visits that have arrived are answered, the last with Connection: close")
  func pipelined() throws {
    try withCounterAndRedis(["--threads", "1"]) { counter, redis in
      let client = try counter.client()
      redis.freeze()
      try client.send(String(repeating: Self.visit, count: 50))
      #expect(try counter.client().get("/health").status == 200)
      counter.send(signal: SIGTERM)
      try counter.waitUntilRefusing()
      redis.thaw()
      let answers = try (1...50).map { _ in try client.readResponse() }
      #expect(answers.map(\.number) == Array(1...50))
      #expect(answers.last?.closes == true)
      #expect(try client.readToEnd() == "")
      #expect(try counter.waitForExit() == 0)
    }
  }

  @Test("An idle connection may send one more request, then it is closed")
  func idleConnection() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      #expect(try client.visit() == 1)
      counter.send(signal: SIGTERM)
      try counter.waitUntilRefusing()
      let response = try client.get("/")
      #expect(response.number == 2)
      #expect(response["Connection"] == "close")
      #expect(try client.readToEnd() == "")
      #expect(try counter.waitForExit() == 0)
      #expect(try redis.hits == "2")
    }
  }

  @Test("Idle connections that stay silent are closed after about two seconds")
  func silentConnections() throws {
    try withCounterAndRedis { counter, _ in
      let used = try counter.client()
      #expect(try used.visit() == 1)
      let unused = try counter.client()
      counter.send(signal: SIGTERM)
      let began = ContinuousClock.now
      #expect(try used.readToEnd() == "")
      #expect(try unused.readToEnd() == "")
      #expect(try counter.waitForExit() == 0)
      #expect(ContinuousClock.now - began > .seconds(1))
      #expect(ContinuousClock.now - began < withSlack(.seconds(5)))
    }
  }

  @Test("During a drain, /ready answers 503 and /health still 200")
  func readiness() throws {
    try withCounterAndRedis { counter, _ in
      let clients = try (0..<2).map { _ in try counter.client() }
      for client in clients {
        try waitUntil("/ready says 200") { try client.get("/ready").status == 200 }
      }
      counter.send(signal: SIGTERM)
      try counter.waitUntilRefusing()
      let ready = try clients[0].get("/ready")
      #expect(ready.status == 503)
      #expect(!ready.body.isEmpty)
      #expect(ready.closes)
      let health = try clients[1].get("/health")
      #expect(health.status == 200)
      #expect(health.closes)
      #expect(try counter.waitForExit() == 0)
    }
  }

  @Test("During a drain, new connections are refused")
  func newConnections() throws {
    try withCounterAndRedis(["--visit-timeout", "15"]) { counter, redis in
      let waiting = try counter.client()
      redis.freeze()
      try waiting.send(Self.visit)
      #expect(try counter.client().get("/health").status == 200)
      counter.send(signal: SIGTERM)
      try counter.waitUntilRefusing()
      #expect(counter.process.isRunning)
      redis.thaw()
      let response = try waiting.readResponse()
      #expect(response.number == 1)
      #expect(response.closes)
      #expect(try counter.waitForExit() == 0)
    }
  }

  @Test("Clients that had connected when the stop began are answered")
  func connectedBefore() throws {
    try withCounterAndRedis { counter, redis in
      counter.send(signal: SIGSTOP)
      let clients = try (0..<20).map { _ in try counter.client() }
      for client in clients { try client.send(Self.visit) }
      counter.send(signal: SIGTERM)
      counter.send(signal: SIGCONT)
      let numbers = try clients.compactMap { try $0.readResponse().number }
      #expect(numbers.sorted() == Array(1...20))
      #expect(try redis.hits == "20")
      #expect(try counter.waitForExit() == 0)
    }
  }

  @Test("A visit that waits for Redis is answered when Redis comes back, then exit 0")
  func redisBackInTime() throws {
    try withCounterAndRedis(["--visit-timeout", "8"]) { counter, redis in
      redis.crash()
      let client = try counter.client()
      try client.send(Self.visit)
      #expect(try client.hearsNothing(for: .milliseconds(200)))
      counter.send(signal: SIGTERM)
      try counter.waitUntilRefusing()
      try redis.start()
      let response = try client.readResponse()
      #expect(response.number == 1)
      #expect(response.closes)
      #expect(try counter.waitForExit() == 0)
    }
  }

  @Test("A visit that waits for Redis in vain is answered 503 at its timeout, then exit 0")
  func redisAway() throws {
    try withCounterAndRedis(["--visit-timeout", "1.5"]) { counter, redis in
      redis.crash()
      let client = try counter.client()
      try client.send(Self.visit)
      #expect(try client.hearsNothing(for: .milliseconds(200)))
      counter.send(signal: SIGTERM)
      let response = try client.readResponse()
      #expect(response.status == 503)
      #expect(response.closes)
      #expect(try client.readToEnd() == "")
      #expect(try counter.waitForExit() == 0)
    }
  }

  @Test("Connections that are left at the drain limit are closed, and the exit code is 75")
  func drainLimit() throws {
    let flags = ["--visit-timeout", "30", "--drain-timeout", "0.5"]
    try withCounterAndRedis(flags) { counter, redis in
      redis.freeze()
      let client = try counter.client()
      try client.send(Self.visit)
      #expect(try client.hearsNothing(for: .milliseconds(200)))
      let began = ContinuousClock.now
      counter.send(signal: SIGTERM)
      #expect(try counter.waitForExit() == 75)
      #expect(ContinuousClock.now - began < withSlack(.seconds(3)))
      #expect(try client.readToEnd() == "")
    }
  }

  @Test("A second counter on the same Redis is not disturbed when the first one stops")
  func oneOfTwo() throws {
    try withCounterAndRedis { one, redis in
      try withCounter(["--redis", redis.url]) { other in
        let leaving = Visitors(8, ports: [one.port], whenClosed: .stayAway)
        let staying = Visitors(8, ports: [other.port])
        try leaving.waitUntilAnswered(200)
        one.send(signal: SIGTERM)
        #expect(try one.waitForExit() == 0)
        try staying.waitUntilAnswered(more: 200)
        var tally = try staying.stop()
        let left = try leaving.waitUntilAllLeft()
        tally.visits += left.visits
        tally.failed += left.failed
        try expectExact(tally, in: redis)
      }
    }
  }
}
