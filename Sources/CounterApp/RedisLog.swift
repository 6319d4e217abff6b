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
    /// The event loops without a connection.
    var lostLoops: Set<Int> = []
    var outage: Outage?
    var refusal: Refusal?
    var losses = LineLimit()
    var refusals = LineLimit()
    /// Losses before this moment are not logged.
    var quietUntil: Instant
    var hasConnected = false
  }

  /// The time without a connection in some event loop.
  private struct Outage {
    let since: Instant
    /// The reason that the log has; nil when the outage is not logged.
    var loggedReason: String?
  }

  /// The time in which Redis answers but refuses to count.
  private struct Refusal {
    var reason: String
    var isLogged = false
  }

  /// Says when a line may be logged, and how many were left out before it.
  private struct LineLimit {
    /// When all lines that were logged are paid for, at one for each pause.
    private var paidAt = Instant(nanoseconds: 0)
    var omitted = 0

    /// - Returns: the end of the line, or nil when no line may be logged yet.
    mutating func beginLine(_ now: Instant) -> String? {
      let next = max(paidAt, now) + RedisLog.pause
      guard next - now <= RedisLog.pause * RedisLog.burst else { return nil }
      paidAt = next
      defer { omitted = 0 }
      return omitted == 0 ? "" : " (and \(omitted) times more since the last such line)"
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
      var outage = state.outage ?? Outage(since: now)
      defer { state.outage = outage }
      guard now >= state.quietUntil, outage.loggedReason != reason,
        let suffix = state.losses.beginLine(now)
      else { return }
      let isStill = outage.loggedReason == nil ? "" : "still "
      outage.loggedReason = reason
      logger.warning("Redis \(isStill)lost at \(address): \(reason)\(suffix)")
    }
  }

  /// An event loop has a connection.
  func connectionReady(loop: Int, now: Instant = .now) {
    state.withLock { state in
      state.lostLoops.remove(loop)
      guard state.lostLoops.isEmpty else { return }
      let isStart = now < state.quietUntil
      state.quietUntil = Instant(nanoseconds: 0)
      state.hasConnected = true
      guard let outage = state.outage else { return }
      state.outage = nil
      guard outage.loggedReason != nil else {
        if !isStart { state.losses.omitted += 1 }
        return
      }
      let milliseconds = (now - outage.since).nanoseconds / 1_000_000
      logger.notice("Redis found again at \(address) after \(milliseconds) ms")
    }
  }

  /// Redis answers, but refuses to count. May be reported as often as a batch is refused.
  func batchRefused(_ reason: String, now: Instant = .now) {
    state.withLock { state in
      var refusal = state.refusal ?? Refusal(reason: reason)
      defer { state.refusal = refusal }
      let isKnown = refusal.isLogged && refusal.reason == reason
      refusal.reason = reason
      guard !isKnown, let suffix = state.refusals.beginLine(now) else { return }
      refusal.isLogged = true
      logger.error("visits cannot be counted: \(reason)\(suffix)")
    }
  }

  /// A batch was counted after one was refused.
  func batchCounted() {
    state.withLock { state in
      guard let refusal = state.refusal else { return }
      state.refusal = nil
      guard refusal.isLogged else {
        state.refusals.omitted += 1
        return
      }
      logger.notice("visits are counted again")
    }
  }
}
