import Foundation
import Testing

@testable import TestSupport

extension ReliabilityTests {
  /// Clients that take their time: each has a deadline, and none delays the others.
  @Suite("Slow clients")
  struct SlowClientTests {
    private static let visit = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    // MARK: Others do not wait for them

    @Test("2,000 slow clients do not double the p99 of a normal visitor")
    func normalVisitor() throws {
      Scale.raiseOpenFiles
      // They are to stay for the whole run.
      let patience = ["--header-timeout", "--body-timeout", "--write-timeout", "--idle-timeout"]
      try withCounterAndRedis(patience.flatMap { [$0, "600"] }) { counter, _ in
        _ = try counter.settledOpenFiles()
        let visitor = try NormalVisitor(port: counter.port)
        let time = Scale.choose(short: Duration.seconds(1), full: .seconds(5))
        _ = try visitor.visit(for: .milliseconds(200))
        var (alone, among): ([Duration], [Duration]) = ([], [])
        for _ in 0..<Scale.choose(short: 5, full: 9) {
          alone.append(try visitor.visit(for: time).percentile(99))
          let before = counter.openFiles
          among.append(
            try withSlowClients(2000, of: counter) {
              try visitor.visit(for: time).percentile(99)
            })
          try waitUntil("they have left") { counter.openFiles == before }
        }
        let (without, with) = (alone.median.milliseconds, among.median.milliseconds)
        // Half a millisecond is what a scheduler may add to any of them.
        #expect(with <= 2 * without + 0.5, "\(among) instead of \(alone)")
        Report.add(
          "2,000 clients with slow headers, slow bodies, unread answers or nothing to say",
          "p99 of a normal visitor at most twice that without",
          "\(with.text(2)) ms instead of \(without.text(2)) ms")
      }
    }

    private func withSlowClients<Result>(
      _ count: Int, of counter: CounterProcess, _ body: () throws -> Result
    ) throws -> Result {
      let before = counter.openFiles
      let clients = try SlowClients(count, port: counter.port)
      defer { clients.leave() }
      let result = try body()
      #expect(counter.openFiles == before + count, "they are still there")
      return result
    }

    // MARK: Each has a deadline

    @Test("A header that drips in a byte at a time gets no more time for that")
    func slowHeader() throws {
      try expectEnd(
        ["--header-timeout", "1"], opening: "GET / HTTP/1.1\r\nHost: x\r\nX: ", drip: "x")
    }

    @Test("Nor does a body that drips in")
    func slowBody() throws {
      let head = "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n"
      try expectEnd(["--body-timeout", "1"], opening: head, drip: "x")
    }

    @Test("Nor does a chunked body that drips in")
    func slowChunks() throws {
      let head = "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      try expectEnd(["--body-timeout", "1"], opening: head, drip: "1\r\nx\r\n")
    }

    /// What begins so and drips on is told 408 after a second, and counts nothing.
    private func expectEnd(_ flags: [String], opening: String, drip: String) throws {
      try withCounterAndRedis(flags) { counter, redis in
        let client = try counter.client()
        let began = ContinuousClock.now
        try client.send(opening)
        while try !client.socket.isReadable(within: .milliseconds(50)) {
          try client.send(drip)
          guard ContinuousClock.now - began < .seconds(5) else { break }
        }
        let time = ContinuousClock.now - began
        #expect(time > .milliseconds(950) && time < .milliseconds(2500), "\(time)")
        #expect(try client.readResponse().status == 408)
        #expect(try redis.hits == nil)
        Report.add(
          opening.contains("X:")
            ? "a header that drips"
            : "a\(opening.contains("chunked") ? " chunked" : "") body that drips",
          "408 after 1 s (as set for the test)", "after \(time.seconds.text(2)) s")
      }
    }

    @Test("A client that reads nothing of its answers is reset")
    func slowReader() throws {
      try withCounterAndRedis(["--write-timeout", "1"]) { counter, _ in
        let client = try counter.client(receiveBuffer: 2048)
        let flood = Array(String(repeating: Self.visit, count: 1000).utf8)
        while try client.socket.isWritable(within: .milliseconds(200)) {
          _ = try client.socket.sendAtOnce(flood)
        }
        let began = ContinuousClock.now
        try waitUntil("it is reset", within: .seconds(5)) {
          do {
            _ = try client.socket.sendAtOnce(flood)
            return false
          } catch {
            return true
          }
        }
        let time = ContinuousClock.now - began
        #expect(time < .milliseconds(2500), "\(time)")
        Report.add(
          "a client that reads nothing",
          "reset 1 s (as set for the test) after the last byte it took",
          "after \(time.seconds.text(2)) s")
        #expect(try counter.visit() > 0)
      }
    }

    @Test("An idle connection is closed, and one that never asked anything")
    func idle() throws {
      try withCounterAndRedis(["--idle-timeout", "1", "--header-timeout", "0.5"]) { counter, _ in
        let (silent, used) = (try counter.client(), try counter.client())
        let began = ContinuousClock.now
        _ = try used.visit()
        #expect(try silent.readToEnd() == "")
        let early = ContinuousClock.now - began
        #expect(try used.readToEnd() == "")
        let late = ContinuousClock.now - began
        #expect(early > .milliseconds(450) && early < .milliseconds(1000), "\(early)")
        #expect(late > .milliseconds(950) && late < .milliseconds(2500), "\(late)")
        Report.add(
          "an idle connection", "closed after 1 s (as set for the test)",
          "after \(late.seconds.text(2)) s")
      }
    }

    @Test(
      "A client that is gone without a word is forgotten after the idle time",
      .enabled(if: ReliabilityTests.SlowClientTests.canVanish, "it takes CAP_NET_ADMIN to vanish"))
    func halfOpen() throws {
      try withCounterAndRedis(["--idle-timeout", "1"]) { counter, _ in
        let before = try counter.settledOpenFiles()
        do {
          let clients = try (0..<20).map { _ in try counter.client() }
          for client in clients { _ = try client.visit() }
          for client in clients { #expect(client.socket.vanishOnClose()) }
        }
        let gone = ContinuousClock.now
        #expect(counter.openFiles == before + 20, "the counter does not know it yet")
        try waitUntil("they are forgotten", within: .seconds(5)) { counter.openFiles == before }
        let time = ContinuousClock.now - gone
        #expect(time > .milliseconds(800), "it was the deadline")
        Report.add(
          "20 clients gone without a word (half-open connections)",
          "forgotten after the idle time, 1 s (as set for the test)",
          "after \(time.seconds.text(2)) s")
      }
    }

    private static var canVanish: Bool {
      guard let port = try? FreePort.take(), let listener = try? Socket.listen(on: .ipv4(port)),
        let client = try? Socket.connect(to: .ipv4(port))
      else { return false }
      defer { listener.end() }
      return client.vanishOnClose()
    }
  }
}
