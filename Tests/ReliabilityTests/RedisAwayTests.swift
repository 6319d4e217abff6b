import Foundation
import Testing

@testable import TestSupport

extension ReliabilityTests {
  /// Thousands wait while Redis is away.
  @Suite("Redis away")
  struct RedisAwayTests {
    private static let visit = Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
    private static let timeout = Duration.seconds(3)

    @Test("5,000 waiting visitors are told 503 in time, or answered as soon as Redis is back")
    func waiting() throws {
      Scale.raiseOpenFiles
      let flags = ["--threads", "2", "--visit-timeout", "\(Self.timeout.seconds)"]
      try withCounterAndRedis(flags) { counter, redis in
        let clients = try (0..<5000).map { _ in try HTTPClient(port: counter.port) }
        try counter.forgetPeakMemory()
        let before = counter.residentMemory
        redis.crash()
        let late = try expectUnavailable(clients)
        let growth = counter.peakMemory - before
        #expect(growth < 8, "MiB")

        // They do not give up, and this time it comes back before their time is over.
        for client in clients { try client.socket.send(Self.visit) }
        try redis.start()
        let back = ContinuousClock.now
        try waitUntilAnswered(clients)
        let time = ContinuousClock.now - back
        let numbers = try clients.compactMap { try $0.readResponse().number }
        #expect(numbers.sorted() == Array(1...5000))
        #expect(time < .seconds(1), "\(time)")
        let batches = try redis.callCount("evalsha") + redis.callCount("eval")
        #expect(batches <= 20, "no stampede")
        #expect(try redis.hits == "5000")
        Report.add(
          "Redis away for longer than the visit timeout, 5,000 visitors waiting",
          "503 with Retry-After in time, bounded memory",
          "the last one \(late.seconds.text(2)) s after it asked (timeout \(Self.timeout.seconds.text(0)) s); \(growth.text()) MiB more at the peak"
        )
        Report.add(
          "Redis comes back, 5,000 visitors waiting",
          "all answered within a second, no stampede",
          "all answered \(time.seconds.text(2)) s later, with \(batches) commands to Redis")
      }
    }

    /// Everybody visits, and is told 503 when the time is over.
    ///
    /// - Returns: what the last one waited.
    private func expectUnavailable(_ clients: [HTTPClient]) throws -> Duration {
      let began = ContinuousClock.now
      for client in clients { try client.socket.send(Self.visit) }
      let asked = ContinuousClock.now
      #expect(asked - began < Self.timeout - .milliseconds(500), "or the first would not wait")
      _ = try clients[0].socket.isReadable(within: Self.timeout * 2)
      #expect(ContinuousClock.now - began > Self.timeout - .milliseconds(50))
      try waitUntilAnswered(clients)
      let last = ContinuousClock.now - asked
      #expect(last < Self.timeout + .seconds(1), "\(last)")
      for client in clients {
        let response = try client.readResponse()
        #expect(response.status == 503 && response["Retry-After"] == "1" && !response.closes)
      }
      return last
    }

    private func waitUntilAnswered(_ clients: [HTTPClient]) throws {
      let sockets = clients.map(\.socket)
      try waitUntil("everybody is answered", within: .seconds(5)) {
        try Socket.readable(among: sockets, within: .zero).count == sockets.count
      }
    }
  }
}
