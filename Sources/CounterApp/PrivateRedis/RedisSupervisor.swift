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
  let installation: PrivateRedis
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
  /// - Parameter maxMemory: what the server's data may take, in bytes.
  /// - Throws: when the program is missing, or another counter uses the folder.
  init(
    in path: String, maxMemory: Int, _ poller: Poller, _ token: Token, _ logger: Logger
  ) throws {
    installation = try PrivateRedis(in: path, maxMemory: maxMemory)
    let now = Instant.now
    state =
      try installation.folder.lock()
      ? .backingOff(until: now)
      : .waitingForFolder(nextTry: now, until: now + Self.longestLock)
    self.poller = poller
    self.token = token
    self.logger = logger
  }

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

  /// Does what is due, after an event of the server or when `deadline` has come.
  ///
  /// - Parameter hasConnected: whether the server, or one before it, could be reached.
  /// - Throws: when there will be no server: it could not be started, or has ended, before it could be
  ///   reached for the first time.
  func endRound(_ now: Instant, hasConnected: Bool) throws {
    do {
      try advance(now, hasConnected)
    } catch {
      state = .stopped
      throw error
    }
  }

  private func advance(_ now: Instant, _ hasConnected: Bool) throws {
    switch state {
    case .running(let process, let since, let logSize) where process.reap():
      guard hasConnected else {
        let reason = TextFile.lastLine(installation.logPath, from: logSize).map { ": \($0)" }
        throw PrivateRedis.Failure("redis-server ended\(reason ?? ", and logged no reason")")
      }
      logger.error("the private redis-server ended (its log tells more); starting it again")
      if now - since > .seconds(10) { backoff.succeeded() }
      state = .backingOff(until: now + backoff.failed())
    case .terminating(let process, _) where process.reap(),
      .killed(let process, _) where process.reap():
      state = .stopped
    case .waitingForFolder(let nextTry, let limit) where now >= nextTry:
      try lockFolder(now, until: limit)
    case .backingOff(let deadline) where now >= deadline:
      try start(now, hasConnected)
    case .terminating(let process, let deadline) where now >= deadline:
      logger.warning("the private redis-server did not end in time and is killed")
      kill(process, now)
    case .killed(let process, let deadline) where now >= deadline:
      logger.error("the private redis-server, process \(process.id), cannot be ended")
      state = .stopped
    case .waitingForFolder, .running, .backingOff, .terminating, .killed, .stopped:
      break
    }
  }

  private func lockFolder(_ now: Instant, until limit: Instant) throws {
    if try installation.folder.lock() {
      state = .backingOff(until: now)
    } else if now < limit {
      state = .waitingForFolder(nextTry: now + .milliseconds(20), until: limit)
    } else {
      throw PrivateRedis.Failure("the data folder is in use")
    }
  }

  private func start(_ now: Instant, _ hasConnected: Bool) throws {
    let logSize = TextFile.size(installation.logPath) ?? 0
    do {
      let process = try installation.start(poller, token)
      state = .running(process, since: now, logSize: logSize)
    } catch let error where hasConnected {
      logger.error("\(error)")
      state = .backingOff(until: now + backoff.failed())
    }
  }

  /// Tells the server to end, or kills it at once.
  func stop(_ now: Instant, isForced: Bool) {
    switch state {
    case .running(let process, _, _) where !isForced:
      process.send(SIGTERM)
      state = .terminating(process, until: now + Self.patience)
    case .running(let process, _, _),
      .terminating(let process, _) where isForced:
      kill(process, now)
    case .waitingForFolder, .backingOff:
      state = .stopped
    case .terminating, .killed, .stopped:
      break
    }
  }

  private func kill(_ process: ServerProcess, _ now: Instant) {
    process.send(SIGKILL)
    state = .killed(process, until: now + Self.killPatience)
  }
}
