import System
package import Telemetry
package import Redis

extension GroupCommit {
  /// Metrics of a group commit. Its loop writes them; any thread may read them.
  ///
  /// Times are differences between the beginnings of rounds; the clock is not read for them.
  package final class Figures: Sendable {
    /// How long visits waited for their outcome, in nanoseconds: from 16 µs to 17 s.
    package let waits = Histogram(exponents: 14...34)

    /// How many visits of a batch were counted or read, a value for each batch that Redis carried out.
    package let batches = Histogram(exponents: 0...14)

    /// How many operations a batch had.
    package let operations = Histogram(exponents: 0...7)

    /// How many keys visits refer to at the end of a round.
    package let knownKeys = Gauge()

    /// The time between a batch and its reply, errors included, in nanoseconds: from 16 µs to 4 s.
    package let roundTrips = Histogram(exponents: 14...32)

    /// How often the connection broke while a batch was in flight, so that it had to be sent again.
    package let interrupted = RelaxedCounter()

    /// How often Redis answered a batch with an error, or refused a counter of it.
    package let refused = RelaxedCounter()

    /// How often too few replicas had a batch, so that it had to be sent again.
    package let unconfirmed = RelaxedCounter()

    /// How many visits wait for their outcome at the end of a round.
    package let waiting = Gauge()

    /// Metrics of the connection to Redis.
    package let redis = RedisConnection.Figures()

    package init() {}
  }
}

extension GroupCommit.Figures {
  /// Records a batch that Redis carried out.
  ///
  /// - Parameter hits: the key of the counter of `/`.
  /// - Returns: why visits of `/` were refused; nil when none was. A counter with a name that holds no
  ///   integer is told to its clients only.
  func record(_ answered: borrowing AnsweredBatch, hits: String) -> String? {
    operations.record(Int64(answered.operationCount))
    if answered.succeededCount > 0 { batches.record(Int64(answered.succeededCount)) }
    guard answered.refusesHits else { return nil }
    refused.add(1)
    return "\(hits) holds no integer, or none with room for more"
  }

  /// Records how long the visits of a batch waited that are about to be answered.
  ///
  /// - Parameter timeout: how long a visit waits at most.
  func recordWaits(of batch: borrowing Batch, _ now: Instant, timeout: Interval) {
    var index = 0
    // Visits that arrived in one round have waited equally long.
    while let run = batch.run(at: index) {
      waits.record((now + timeout - run.deadline).nanoseconds, times: run.count)
      index += run.count
    }
  }
}
