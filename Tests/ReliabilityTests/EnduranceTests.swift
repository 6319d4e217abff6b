import Foundation
import Glibc
import Testing

@testable import TestSupport

extension ReliabilityTests {
  /// What must hold for as long as it runs, and however often it is stopped.
  @Suite("Endurance")
  struct EnduranceTests {
    @Test("Memory after millions of visits and connections is what it was in the beginning")
    func memory() throws {
      try withCounterAndRedis { counter, redis in
        let total = Scale.choose(short: 300_000, full: 10_000_000)
        try Burst.visit(100_000, counter.port)
        let first = counter.residentMemory
        let began = ContinuousClock.now
        try Burst.visit(total - 100_000, counter.port)
        let time = ContinuousClock.now - began
        let last = counter.residentMemory
        // Of the allocator's own: which thread needs how much, when, is left to chance.
        #expect(last <= first + 0.5, "MiB")
        #expect(try redis.hits == "\(total)")
        Report.add(
          "\(total) visits on \(total / Burst.size) connections",
          "resident memory is what it was after the first 100,000, within half a MiB",
          "\(last.text(2)) MiB after \(first.text(2)), in \(time.seconds.text(0)) s")
      }
    }

    @Test("Killed and started again under load, nothing is doubled or skipped")
    func kills() throws {
      try withRedis { redis in
        try withTemporaryFolder { folder in
          let port = try FreePort.take()
          func start() throws -> CounterProcess {
            let counter = try CounterProcess(["--redis", redis.url], folder: folder, port: port)
            try counter.waitUntilReady()
            return counter
          }
          var counter = try start()
          let visitors = Visitors(16, ports: [port], whenRefused: .knockAgain, limit: .seconds(60))
          for _ in 0..<10 {
            try visitors.waitUntilAnswered(more: Scale.choose(short: 200, full: 2000))
            counter.end()
            counter = try start()
          }
          defer { counter.end() }
          try visitors.waitUntilEveryoneIsAnswered()
          let tally = try visitors.stop()
          let findings = Findings(tally, count: Int64(try redis.hits ?? "0") ?? -1)
          #expect(findings.isExactWhereAnswered, "\(findings)")
          #expect(tally.failures.filter { $0.hasPrefix("HTTP") } == [], "cut off, not refused")
          report("kill -9 and restart, ten times under load", findings)
        }
      }
    }

    @Test("Killed and started again with its private redis-server, nothing is doubled or skipped")
    func killsWithPrivateRedis() throws {
      try withTemporaryFolder { folder in
        let port = try FreePort.take()
        func start() throws -> CounterProcess {
          let counter = try CounterProcess(["--data", "data"], folder: folder, port: port)
          try counter.waitUntilReady()
          // The counter answers /health before its redis-server has loaded.
          try waitUntil("Redis answers") { (try? counter.client().get("/ready").status) == 200 }
          return counter
        }
        var counter = try start()
        let visitors = Visitors(16, ports: [port], whenRefused: .knockAgain, limit: .seconds(60))
        for _ in 0..<Scale.choose(short: 3, full: 10) {
          try visitors.waitUntilAnswered(more: Scale.choose(short: 200, full: 2000))
          counter.end()
          counter = try start()
        }
        defer {
          counter.send(signal: SIGTERM)
          _ = try? counter.waitForExit()
        }
        try visitors.waitUntilEveryoneIsAnswered()
        let tally = try visitors.stop()
        let redis = try RESPClient(.unix("\(folder)/data/redis.sock"))
        let count = Int64(try redis.command(["GET", "hits"]).text ?? "0") ?? -1
        let findings = Findings(tally, count: count)
        #expect(findings.isExactWhereAnswered, "\(findings)")
        report("the same with the private redis-server, which goes down with it", findings)
      }
    }

    @Test("Stopped under load again and again, no visit of those who hear it fails")
    func stops() throws {
      try withRedis { redis in
        try withTemporaryFolder { folder in
          var tally = Tally()
          let rounds = Scale.choose(short: 5, full: 20)
          for _ in 0..<rounds {
            let counter = try CounterProcess(
              ["--redis", redis.url, "--threads", "2"], folder: folder)
            defer { counter.end() }
            try counter.waitUntilReady()
            let visitors = Visitors(32, ports: [counter.port], whenClosed: .stayAway)
            try visitors.waitUntilAnswered(1000)
            counter.send(signal: SIGTERM)
            #expect(try counter.waitForExit() == 0)
            let round = try visitors.waitUntilAllLeft()
            tally.visits += round.visits
            tally.failed += round.failed
          }
          let findings = Findings(tally, count: Int64(try redis.hits ?? "0") ?? -1)
          #expect(findings.isExact, "\(findings) \(Set(tally.failures))")
          report("SIGTERM under load, \(rounds) times, 32 keep-alive clients", findings)
        }
      }
    }

    private func report(_ what: String, _ findings: Findings) {
      Report.add(
        what, "answered visits are exact; those cut off count once at most",
        """
        \(findings.answered) visits answered, \(findings.failed) cut off, \(findings.doubled) doubled, \
        \(findings.skipped) skipped, \(findings.outOfOrder) out of order
        """)
    }
  }
}
