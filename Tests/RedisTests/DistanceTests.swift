import System
import Telemetry
import Testing

@testable import Redis
@testable import TestSupport

@Suite("A connection to a distant or slow Redis")
struct DistanceTests {
  @Test(
    "is made and carries commands, however long a round trip takes within the limit",
    arguments: [(600, 5000), (130, 1000), (400, 1000), (1200, 5000), (2400, 5000)]
      as [(Int64, Int64)])
  func roundTrip(_ latency: Int64, _ limit: Int64) throws {
    try withRedis { redis throws in
      var loop = try ConnectionLoop(to: redis.url, limit: .milliseconds(limit))
      loop.latency = .milliseconds(latency)
      try loop.turn(until: "ready") { $0.connection.isReady }
      // A command that timed out is executed nonetheless; none does once a round trip was measured.
      for count: Int64 in 1...20 { #expect(try loop.ask("INCR", "n") == count) }
      #expect(loop.figures.lost.current == 0, "no command was lost")
    }
  }
}
