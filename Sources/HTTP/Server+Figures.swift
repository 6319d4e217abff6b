import BasicContainers
import System
package import Telemetry

extension Server {
  /// What a server has done so far: written by its loop alone, to be read by anybody.
  package final class Figures: Sendable {
    /// Connections that were accepted, and those of them that were closed again.
    package let accepted = RelaxedCounter()
    /// See `accepted`.
    package let closed = RelaxedCounter()

    /// Bytes that came from clients, and bytes that went to them.
    package let received = RelaxedCounter()
    /// See `received`.
    package let sent = RelaxedCounter()

    /// By status code.
    private let answers: UniqueArray<RelaxedCounter>

    /// Nothing so far.
    package init() {
      var answers = UniqueArray<RelaxedCounter>(minimumCapacity: 600)
      while answers.count < 600 { answers.append(RelaxedCounter()) }
      self.answers = answers
    }

    /// How many requests were answered with a status.
    package func answers(_ status: Status) -> UInt64 { answers[status.rawValue].current }

    @inline(__always)
    func countAnswer(_ code: Int) {
      answers[code].add(1)
    }
  }
}
