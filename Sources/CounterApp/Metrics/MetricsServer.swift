import System
import HTTP

/// Answers `GET /metrics`, on a port and a thread that no visit passes through.
///
/// It is the server that visits have, with a path of its own; the program's main thread turns it.
struct MetricsServer: ~Copyable {
  private var server: Server
  private let metrics: Metrics

  /// Many more than scrape at a time; the open files that are kept from visitors have room for them.
  static var mostConnections: Int { 16 }

  init(
    _ listener: consuming Listener, _ metrics: Metrics, _ poller: Poller, _ owners: Server.Owners
  ) throws(SystemError) {
    var limits = Limits()
    limits.connections = Self.mostConnections
    server = try Server(listener, routes: ["/metrics"], limits: limits, poller, owners)
    self.metrics = metrics
  }

  /// When it wants to be called again though no event comes.
  var deadline: Instant { server.deadline }

  /// Tells the time of the round that begins.
  mutating func beginRound(_ now: Instant) {
    server.beginRound(now)
  }

  /// Takes a connection. One that cannot be had now is tried again by itself.
  mutating func accept() {
    try? server.accept()
  }

  /// Does what an event on a connection calls for.
  mutating func ready(_ event: Event) {
    server.ready(event)
    answerRequests()
  }

  /// Does what has become due, and sends what was answered. Call it at the end of every round.
  mutating func finishRound(_ now: Instant) {
    if now >= server.deadline { server.tick() }
    repeat { server.flush() } while answerRequests()
    server.flush()
  }

  /// - Returns: whether there were any.
  @discardableResult
  private mutating func answerRequests() -> Bool {
    var hasAny = false
    while let request = server.nextRequest() {
      hasAny = true
      let response = Response(
        .ok, [("Content-Type", Exposition.contentType), ("Cache-Control", "no-store")],
        text: Array(metrics.text.utf8))
      server.answer(request.exchange, with: response)
    }
    return hasAny
  }
}
