import BasicContainers
package import Telemetry

extension Server {
  /// Counters of a server: its loop writes them, and every thread may read them.
  package final class Figures: Sendable {
    /// Connections that were accepted.
    package let accepted = RelaxedCounter()

    /// Connections that are open.
    package let open = Gauge()

    /// Streams that are open.
    package let streams = Gauge()

    /// Idle connections that were closed to make room for others.
    package let evicted = RelaxedCounter()

    /// Connections that were reset because the buffers of all clients together were used up.
    package let shed = RelaxedCounter()

    /// Bytes that came from clients.
    package let received = RelaxedCounter()

    /// Bytes that went to clients.
    package let sent = RelaxedCounter()

    /// Responses by status code.
    private let responses: UniqueArray<RelaxedCounter>

    package init() {
      var responses = UniqueArray<RelaxedCounter>(minimumCapacity: 600)
      while responses.count < 600 { responses.append(RelaxedCounter()) }
      self.responses = responses
    }

    /// The number of responses with a status.
    package func responses(_ status: Status) -> UInt64 { responses[status.rawValue].current }

    @inline(__always)
    func countResponse(_ code: Int) {
      responses[code].add(1)
    }
  }
}
