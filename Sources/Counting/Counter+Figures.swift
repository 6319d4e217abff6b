import System
package import Telemetry
package import Redis

extension Counter {
  /// What a counter has done so far: written by its loop alone, to be read by anybody.
  ///
  /// Moments are those at which the rounds of the loop began; no clock is asked for these figures.
  package final class Figures: Sendable {
    /// How long visits waited for their answers, in nanoseconds: from 16 µs to 17 s.
    package let waits = Histogram(exponents: 14...34)

    /// How many visits were added at once, a value for each batch that Redis counted.
    package let batches = Histogram(exponents: 0...14)

    /// How long Redis took to answer a batch, in nanoseconds, be it with an error: from 16 µs to 4 s.
    package let roundTrips = Histogram(exponents: 14...32)

    /// How often the connection broke while a batch was on its way, so that it had to be sent again.
    package let interrupted = RelaxedCounter()

    /// How often Redis answered a batch with an error.
    package let refused = RelaxedCounter()

    /// How many visits wait for their answers at the end of a round, but for rounds after which the
    /// next is looked at before a batch goes.
    package let waiting = Gauge()

    /// The connection to Redis.
    package let redis = Connection.Figures()

    /// Nothing so far.
    package init() {}
  }
}
