import System
import Logging
import Redis
import Synchronization

/// Tells the log when Redis is lost and found again: once for all loops, not once a loop.
final class RedisWatch: Sendable {
  private let logger: Logger
  private let location: String
  private let state = Mutex(State())

  private struct State {
    var loopsWithout = 0
    var reason: String?
    var since = Instant.now
    var refusal: String?
  }

  init(_ logger: Logger, _ location: String) {
    self.logger = logger
    self.location = location
  }

  /// A loop's connection broke, or its first try failed.
  func lost(_ failure: RedisError?) {
    let reason = failure?.description ?? "no connection yet"
    state.withLock { state in
      state.loopsWithout += 1
      if state.loopsWithout == 1 { state.since = .now }
      guard state.reason == nil else { return }
      state.reason = reason
      logger.warning("Redis lost at \(location): \(reason)")
    }
  }

  /// Another try failed, perhaps for another reason than the one before.
  func stillLost(_ failure: RedisError) {
    let reason = failure.description
    state.withLock { state in
      guard let last = state.reason, last != reason else { return }
      state.reason = reason
      logger.warning("Redis still lost at \(location): \(reason)")
    }
  }

  /// A loop's connection is back.
  func found() {
    state.withLock { state in
      state.loopsWithout -= 1
      guard state.loopsWithout == 0, state.reason != nil else { return }
      state.reason = nil
      let milliseconds = (Instant.now - state.since).nanoseconds / 1_000_000
      logger.notice("Redis found again at \(location) after \(milliseconds) ms")
    }
  }

  /// Redis answers, but does not count.
  func refused(_ reason: String) {
    state.withLock { state in
      guard state.refusal != reason else { return }
      state.refusal = reason
      logger.error("visits cannot be counted: \(reason)")
    }
  }

  /// A visit was counted after all.
  func counted() {
    state.withLock { state in
      guard state.refusal != nil else { return }
      state.refusal = nil
      logger.notice("visits are counted again")
    }
  }
}
