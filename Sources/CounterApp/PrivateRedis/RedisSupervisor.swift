import Glibc
import Logging
import Redis
import System

/// Keeps the private redis-server running: starts it, starts it again when it has died, and stops
/// it. It never waits; the main thread's loop drives it.
///
/// A server is started only when the data folder is locked and the last server has been reaped, so
/// that no two servers ever run on one folder.
final class RedisSupervisor {
  private let installation: PrivateRedis
  private let poller: Poller
  private let token: Token
  private let logger: Logger
  private var state: State
  private var backoff = Backoff(from: .milliseconds(10), to: .seconds(1))

  private enum State {
    /// The folder is still locked by a redis-server that ends by itself.
    case waitingForFolder(nextTry: Instant, until: Instant)
    case running(ServerProcess, since: Instant, logSize: Int)
    /// The server has died, and is started again later.
    case backingOff(until: Instant)
    /// The server was told to end.
    case terminating(ServerProcess, until: Instant)
    /// The server was killed, and has not been reaped.
    case killed(ServerProcess, until: Instant)
    case stopped
  }

  /// How long a folder may stay locked by a redis-server that its counter left behind.
  private static var longestLock: Interval { .seconds(10) }

  /// How long a redis-server may take to end. After that it is killed, which loses nothing: a write
  /// is on disk before it is answered.
  static var patience: Interval { .seconds(3) }

  /// How long the kernel may take to end a killed process. A process that waits for a broken disk
  /// does not end at all, and must not keep this one from ending.
  static var killPatience: Interval { .seconds(1) }

  /// Finds the program and the data folder.
  ///
  /// - Throws: when the program is missing, or another counter uses the folder.
  init(
    in path: String, _ poller: Poller, _ token: Token, _ logger: Logger
  ) throws(PrivateRedis.Failure) {
    let installation = try PrivateRedis(in: path)
    let now = Instant.now
    state =
      try installation.lockFolder()
      ? .backingOff(until: now)
      : .waitingForFolder(nextTry: now, until: now + Self.longestLock)
    self.installation = installation
    self.poller = poller
    self.token = token
    self.logger = logger
  }

  /// Where the redis-server can be reached.
  var location: RedisAddress { installation.location }

  /// Whether the server has ended, and will not be started again.
  var isStopped: Bool { if case .stopped = state { true } else { false } }

  /// When `endRound` must be called though there is no event.
  var deadline: Instant {
    switch state {
    case .waitingForFolder(let nextTry, _): nextTry
    case .backingOff(let deadline), .terminating(_, let deadline), .killed(_, let deadline):
      deadline
    case .running, .stopped: .never
    }
  }

  /// Handles the end of the server.
  ///
  /// - Parameter hasConnected: whether the server, or one before it, could be reached.
  /// - Throws: when a server that could never be reached has ended.
  func handleEvent(
    _ now: Instant, hasConnected: Bool
  ) throws(PrivateRedis.Failure) {
    switch state {
    case .running(let process, let since, let logSize):
      guard process.reap() else { return }
      guard hasConnected else {
        state = .stopped
        throw .ended(lastLogLine: installation.lastLogLine(after: logSize))
      }
      logger.error("the private redis-server ended (its log tells more); starting it again")
      if now - since > .seconds(10) { backoff.succeeded() }
      state = .backingOff(until: now + backoff.failed())
    case .terminating(let process, _), .killed(let process, _):
      if process.reap() { state = .stopped }
    case .waitingForFolder, .backingOff, .stopped:
      break
    }
  }

  /// Does what is due.
  ///
  /// - Throws: when the server cannot be started for the first time.
  func endRound(_ now: Instant, hasConnected: Bool) throws(PrivateRedis.Failure) {
    guard now >= deadline else { return }
    switch state {
    case .waitingForFolder(_, let until):
      try lockFolder(now, until: until)
    case .backingOff:
      try start(now, hasConnected: hasConnected)
    case .terminating(let process, _):
      logger.warning("the private redis-server did not end in time and is killed")
      process.send(SIGKILL)
      state = .killed(process, until: now + Self.killPatience)
    case .killed(let process, _):
      logger.error("the private redis-server, process \(process.id), cannot be ended")
      state = .stopped
    case .running, .stopped:
      break
    }
  }

  private func lockFolder(
    _ now: Instant, until limit: Instant
  ) throws(PrivateRedis.Failure) {
    do throws(PrivateRedis.Failure) {
      if try installation.lockFolder() {
        state = .backingOff(until: now)
      } else if now < limit {
        state = .waitingForFolder(nextTry: now + .milliseconds(20), until: limit)
      } else {
        throw .folderInUse(byProcess: nil)
      }
    } catch {
      state = .stopped
      throw error
    }
  }

  private func start(
    _ now: Instant, hasConnected: Bool
  ) throws(PrivateRedis.Failure) {
    let logSize = installation.logSize
    do throws(PrivateRedis.Failure) {
      let process = try installation.start(poller, token)
      state = .running(process, since: now, logSize: logSize)
    } catch {
      guard hasConnected else {
        state = .stopped
        throw error
      }
      logger.error("\(error)")
      state = .backingOff(until: now + backoff.failed())
    }
  }

  /// Tells the server to end.
  func stop(_ now: Instant) {
    switch state {
    case .running(let process, _, _):
      process.send(SIGTERM)
      state = .terminating(process, until: now + Self.patience)
    case .waitingForFolder, .backingOff:
      state = .stopped
    case .terminating, .killed, .stopped:
      break
    }
  }

  /// Kills the server at once.
  func kill(_ now: Instant) {
    switch state {
    case .running(let process, _, _), .terminating(let process, _):
      process.send(SIGKILL)
      state = .killed(process, until: now + Self.killPatience)
    case .waitingForFolder, .backingOff:
      state = .stopped
    case .killed, .stopped:
      break
    }
  }
}
