public import EventLoop

extension Connection {
  /// How a connection has fared so far: written by its loop alone, to be read by anybody.
  public final class Figures: Sendable {
    /// How often it came to be ready for commands.
    public let connected = RunningTotal()
    /// How often it was given up after it had been ready.
    public let lost = RunningTotal()
    /// How often a try at connecting failed.
    public let failed = RunningTotal()

    /// Nothing so far.
    public init() {}
  }
}
