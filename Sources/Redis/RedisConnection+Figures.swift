package import Telemetry

extension RedisConnection {
  /// Totals of a connection: its event loop writes them, every thread may read them.
  package final class Figures: Sendable {
    /// How often the connection became ready for commands.
    package let connected = RunningTotal()
    /// How often it was lost after it had been ready.
    package let lost = RunningTotal()
    /// How often an attempt to connect failed.
    package let failed = RunningTotal()

    /// Creates totals that are zero.
    package init() {}
  }
}
