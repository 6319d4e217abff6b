package import Telemetry

extension RedisConnection {
  /// Totals of a connection: its event loop writes them, every thread may read them.
  package final class Figures: Sendable {
    /// How often the connection became ready for commands.
    package let connected = RelaxedCounter()
    /// How often it was lost after it had been ready.
    package let lost = RelaxedCounter()
    /// How often an attempt to connect failed.
    package let failed = RelaxedCounter()

    package init() {}
  }
}
