import Counting
import System
import Telemetry
import HTTP

/// The figures of one event loop. Only that loop writes them, without a lock; a scrape adds up the
/// figures of all loops.
final class LoopFigures: Sendable {
  let server = Server.Figures()
  let counting = GroupCommit.Figures()

  /// Visits that were answered with their number.
  let counted = RelaxedCounter()
  /// Visits that were answered that they could not be counted.
  let unavailable = RelaxedCounter()
  /// Visits whose client went away before the response; they may have been counted.
  let abandoned = RelaxedCounter()

  /// Hits of counters with names.
  let hits = HitFigures()
  /// Answers to requests that read counters, however many.
  let reads = RelaxedCounter()
  /// Answers to requests for images of counters.
  let images = ImageFigures()
  /// Answers to requests that set or remove a counter.
  let changes = RelaxedCounter()

  /// Events of streams.
  let streamEvents = RelaxedCounter()
  /// Streams that were refused because there were as many as may be.
  let streamsRefused = RelaxedCounter()

  /// Counters with names in all, as the first loop has found last.
  let counters = Gauge()
  /// What may break a promise, as the first loop has found last.
  let risks = RiskFigures()

  /// Rounds of the loop.
  let rounds = RelaxedCounter()
}

/// The ways in which Redis is set up that may break a promise: 1 for each that was found, else 0.
final class RiskFigures: Sendable {
  private let eviction = Gauge()
  private let persistence = Gauge()
  private let version = Gauge()

  func record(_ risks: Set<Survey.Risk>) {
    eviction.set(risks.contains(.eviction) ? 1 : 0)
    persistence.set(risks.contains(.persistence) ? 1 : 0)
    version.set(risks.contains(.version) ? 1 : 0)
  }

  func current(_ risk: Survey.Risk) -> Int {
    switch risk {
    case .eviction: eviction.current
    case .persistence: persistence.current
    case .version: version.current
    }
  }
}

/// Images of counters, by outcome. Their status is always 200.
final class ImageFigures: Sendable {
  let shown = RelaxedCounter()
  let refused = RelaxedCounter()
  let unavailable = RelaxedCounter()
  let late = RelaxedCounter()
  /// Without a client by the time of the response.
  let abandoned = RelaxedCounter()

  enum Outcome {
    /// With a number.
    case shown
    /// With the reason why there is none: the request is wrong, or the counter does not exist.
    case refused
    /// With the reason that Redis did not answer.
    case unavailable
    /// The same after three seconds, while Redis may still answer.
    case late
  }

  func record(_ outcome: Outcome, isDelivered: Bool) {
    guard isDelivered else { return abandoned.add(1) }
    switch outcome {
    case .shown: shown.add(1)
    case .refused: refused.add(1)
    case .unavailable: unavailable.add(1)
    case .late: late.add(1)
    }
  }
}

/// Hits of counters with names, by outcome.
final class HitFigures: Sendable {
  /// Answered with their number.
  let counted = RelaxedCounter()
  /// Answered with the number of the first time, under the same idempotency key.
  let replayed = RelaxedCounter()
  /// Refused: too many counters, a number out of range, no integer, or a reused idempotency key.
  let refused = RelaxedCounter()
  /// Answered that Redis did not answer.
  let unavailable = RelaxedCounter()
  /// Without a client by the time of the response; they may have been counted.
  let abandoned = RelaxedCounter()

  @inline(__always)
  func record(_ result: Outcome.Result, isDelivered: Bool) {
    guard isDelivered else { return abandoned.add(1) }
    switch result {
    case .number, .created: counted.add(1)
    case .replayed: replayed.add(1)
    case .unavailable: unavailable.add(1)
    default: refused.add(1)
    }
  }
}
