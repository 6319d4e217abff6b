import Redis
import System
import Telemetry

// The batch in flight, and what becomes of visits whose time is up.

extension GroupCommit {
  /// A batch whose outcomes are not known.
  struct InFlight: ~Copyable {
    var batch: Batch

    /// When the batch was sent on the present connection; nil when it has to be sent again.
    var sentAt: Instant?

    /// The reply to it, while it is not known whether enough replicas have the batch.
    var reply: Reply?
  }

  /// The deadline of the first visit in flight.
  var flightDeadline: Instant {
    switch inFlight {
    case .some(let flight): flight.batch.deadline
    case .none: .never
    }
  }

  /// Whether the reply to the batch in flight is there, but not how many replicas have the batch.
  var isUnconfirmed: Bool {
    switch inFlight {
    case .some(let flight): flight.reply != nil
    case .none: false
    }
  }

  /// How many visits in flight wait for their outcome.
  var unansweredInFlight: Int {
    switch inFlight {
    case .some(let flight): flight.batch.unansweredCount
    case .none: 0
    }
  }

  mutating func nextExpired() -> Outcome? {
    let deadlines = (flightDeadline, waiting.deadline)
    if let ticket = inFlight?.batch.removeExpired(now) {
      recordWait(until: deadlines.0)
      if unansweredInFlight == 0 { abandonBatch() }
      return Outcome(ticket: ticket, result: .unavailable)
    }
    guard let visit = waiting.removeExpired(now) else { return nil }
    visit.releaseKeys(&keys)
    recordWait(until: deadlines.1)
    return Outcome(ticket: visit.ticket, result: .unavailable)
  }

  /// Gives up the batch in flight, because all its visits have expired. Whether Redis counted it stays
  /// unknown. So its connection is closed, and no other batch is sent behind it. A batch that only waits for
  /// replicas is given up when Redis says how many have it.
  mutating func abandonBatch() {
    guard !isUnconfirmed, let flight = inFlight.take() else { return }
    let wasSent = flight.sentAt != nil
    flight.batch.releaseKeys(&keys)
    if wasSent { redis.drop(.tooSlow(timeout), now) }
  }

  /// Records how long a visit waited that would have expired at `deadline`.
  private func recordWait(until deadline: Instant) {
    figures.waits.record((now + timeout - deadline).nanoseconds)
  }
}
