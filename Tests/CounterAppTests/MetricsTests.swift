import AccessLog
import Glibc
import System
import Telemetry
import Testing

@testable import CounterApp
@testable import Counting
@testable import HTTP
@testable import Redis

@Suite("The metrics")
struct MetricsArithmeticTests {
  @Test("do not trap when an event loop's figures are read in an order in which they do not fit")
  func wrongOrder() throws {
    let figures = LoopFigures()
    figures.counting.redis.lost.add(1)
    figures.server.received.add(-1)
    figures.counting.waits.record(.max, times: 3)
    let other = LoopFigures()
    other.server.received.add(2)
    other.server.open.add(1)
    other.counting.waits.record(.max)
    let metrics = Metrics(
      loops: [figures, other], log: try LineWriter(to: STDERR_FILENO), accessLines: nil,
      shutdown: try Shutdown(loops: 2), mostCounters: 10, mostStreams: 10)
    let text = metrics.text
    #expect(text.contains("\ncounter_http_connections_open 1\n"))
    #expect(text.contains("\ncounter_redis_connected_loops 0\n"))
    #expect(text.contains("\ncounter_redis_reconnects_total 0\n"))
    #expect(text.contains("\ncounter_http_received_bytes_total 1\n"))
  }
}
