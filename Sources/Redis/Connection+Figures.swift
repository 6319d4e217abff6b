import System
package import Telemetry

extension Connection {
  /// How a connection has fared so far: written by its loop alone, to be read by anybody.
  package final class Figures: Sendable {
    /// How often it came to be ready for commands.
    package let connected = RelaxedCounter()
    /// How often it was given up after it had been ready.
    package let lost = RelaxedCounter()
    /// How often a try at connecting failed.
    package let failed = RelaxedCounter()

    /// Nothing so far.
    package init() {}
  }
}
