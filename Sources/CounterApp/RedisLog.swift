import Counting
import Logging
import Synchronization
import System

/// Logs the outages of Redis: once for all event loops, and a bounded number of them however often
/// the connections break: 5 outages in a row, and after that one every 5 seconds.
///
/// An event loop reports a loss again with each try to connect that fails, every second or so. So
/// an outage that may not be logged when it begins is logged later, unless it ends before.
final class RedisLog: Sendable {
  private let logger: Logger
  private let address: String
  private let state: Mutex<State>

  /// The time from one logged outage to the next when outages do not end.
  private static var pause: Interval { .seconds(5) }

  /// How many outages are logged however fast they follow each other.
  private static var burst: Int64 { 5 }

  private struct State {
    /// The risks that the log was told of.
    var risks: Set<Survey.Risk> = []
    /// The event loops without a connection.
    var lostLoops: Set<Int> = []
    /// The time without a connection in some event loop.
    var outage = Incident()
    /// The time in which Redis answers but refuses to count.
    var refusal = Incident()
    /// Losses before this moment are not logged.
    var quietUntil: Instant
    var hasConnected = false
  }

  /// An incident that comes and goes, and how often it may be logged.
  private struct Incident {
    /// When it began; nil while there is none.
    var since: Instant?

    /// The reason that the log has; nil when this incident is not logged.
    var loggedReason: String?

    /// How many incidents ended without a line since the last line.
    var omitted = 0

    /// When all lines that were logged are paid for, at one for each pause.
    private var paidAt = Instant(nanoseconds: 0)

    /// Begins a line, when one may be logged about a reason that the log does not have.
    ///
    /// - Returns: the end of the line.
    mutating func beginLine(_ reason: String, _ now: Instant) -> String? {
      let next = max(paidAt, now) + RedisLog.pause
      guard reason != loggedReason, next - now <= RedisLog.pause * RedisLog.burst else {
        return nil
      }
      paidAt = next
      loggedReason = reason
      defer { omitted = 0 }
      return omitted == 0 ? "" : " (and \(omitted) times more since the last such line)"
    }

    /// - Returns: when the incident began, if the log has it.
    mutating func end(isCounted: Bool = true) -> Instant? {
      defer { (since, loggedReason) = (nil, nil) }
      if since != nil, loggedReason == nil, isCounted { omitted += 1 }
      return loggedReason == nil ? nil : since
    }
  }

  /// - Parameter limit: until when the first connection may take without a line, because Redis is
  ///   still starting.
  init(_ logger: Logger, _ address: String, quietUntil limit: Instant = Instant(nanoseconds: 0)) {
    self.logger = logger
    self.address = address
    state = Mutex(State(quietUntil: limit))
  }

  /// Whether Redis could be reached at least once.
  var hasConnected: Bool { state.withLock { $0.hasConnected } }

  /// An event loop has no connection. May be reported as often as a try fails.
  func connectionLost(_ reason: String, loop: Int, now: Instant = .now) {
    state.withLock { state in
      state.lostLoops.insert(loop)
      state.outage.since = state.outage.since ?? now
      let isStill = state.outage.loggedReason == nil ? "" : "still "
      guard now >= state.quietUntil, let suffix = state.outage.beginLine(reason, now) else {
        return
      }
      logger.warning("Redis \(isStill)lost at \(address): \(reason)\(suffix)")
    }
  }

  /// An event loop has a connection.
  func connectionReady(loop: Int, now: Instant = .now) {
    state.withLock { state in
      state.lostLoops.remove(loop)
      state.hasConnected = true
      guard state.lostLoops.isEmpty else { return }
      let isStart = now < state.quietUntil
      state.quietUntil = Instant(nanoseconds: 0)
      guard let since = state.outage.end(isCounted: !isStart) else { return }
      let milliseconds = (now - since).nanoseconds / 1_000_000
      logger.notice("Redis found again at \(address) after \(milliseconds) ms")
    }
  }

  /// Redis was surveyed. Each risk is logged once, until it is gone.
  func surveyed(_ risks: Set<Survey.Risk>) {
    let new = state.withLock { state in
      defer { state.risks = risks }
      return risks.subtracting(state.risks)
    }
    for risk in Survey.Risk.allCases where new.contains(risk) {
      logger.warning("Redis at \(address) \(risk.warning)")
    }
  }

  /// Redis answers, but refuses to count. May be reported as often as a batch is refused.
  func batchRefused(_ reason: String, now: Instant = .now) {
    state.withLock { state in
      state.refusal.since = state.refusal.since ?? now
      guard let suffix = state.refusal.beginLine(reason, now) else { return }
      logger.error("visits cannot be counted: \(reason)\(suffix)")
    }
  }

  /// A batch was counted after one was refused.
  func batchCounted() {
    state.withLock { state in
      if state.refusal.end() != nil { logger.notice("visits are counted again") }
    }
  }
}

extension Survey.Risk {
  /// What is wrong with a Redis, for people.
  fileprivate var warning: String {
    switch self {
    case .eviction:
      "may evict counters when its memory is full: set maxmemory-policy to noeviction"
    case .persistence:
      "writes no append-only file: a crash loses numbers, and they are given again"
    case .version:
      "is older than 7.0: a crash can leave half a batch in its append-only file"
    }
  }
}
