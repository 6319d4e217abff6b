import System
import HTTP

/// Answers `GET /metrics`, on a port and a thread that no visit passes through.
///
/// It is the server that visits have, with a path of its own; the program's main thread turns it.
struct MetricsServer: ~Copyable {
  private var server: Server
  private let metrics: Metrics
  private let head = ResponseHead(
    .ok, [("Content-Type", Exposition.contentType), ("Cache-Control", "no-store")])

  /// Many more than scrape at a time; the open files that are kept from visitors have room for them.
  static var mostConnections: Int { 16 }

  init(
    _ listener: consuming Listener, _ metrics: Metrics, _ poller: Poller, _ owners: Server.Owners
  ) throws(SystemError) {
    var limits = Limits()
    limits.connections = Self.mostConnections
    server = try Server(
      listener, routes: [Route("/metrics", [.get, .head])], limits: limits, poller, owners)
    self.metrics = metrics
  }

  /// The moment at which the next round must begin though there is no event.
  var deadline: Instant { server.deadline }

  /// Begins a round.
  mutating func beginRound(_ now: Instant) {
    server.beginRound(now)
  }

  /// Handles an event of the listener or of a connection.
  mutating func handleEvent(_ event: Event) {
    server.handleEvent(event)
  }

  /// Answers the requests that came, and ends the round.
  mutating func endRound() {
    while let request = server.nextRequest() {
      server.respond(request.exchange, head, TextBody(metrics.text))
    }
    server.endRound()
  }
}
