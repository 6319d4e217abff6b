import CLinux
import System
import Glibc
import Redis

/// A redis-server of our own: on a unix socket in a data folder, with every write on disk before it
/// is answered, ended with the program.
struct PrivateRedis: ~Copyable {
  private let folder: DataFolder
  private let program: String
  private let log: Descriptor
  private var process: pid_t = 0
  private var ending = Descriptor.none

  /// Why there is none.
  enum Failure: Error, Equatable {
    case notInstalled
    case folder(DataFolder.Failure)
    case pathTooLong
    case cannotStart(SystemError)
    case ended(lastWords: String)
  }

  private init(_ program: String, _ folder: consuming DataFolder, log: consuming Descriptor) {
    self.program = program
    self.folder = folder
    self.log = log
  }

  /// Takes the data folder, which is made if it is missing, and starts the server.
  static func start(in path: String) throws(Failure) -> PrivateRedis {
    guard let program = find("redis-server") else { throw .notInstalled }
    var redis: PrivateRedis
    do throws(DataFolder.Failure) {
      let folder = try DataFolder.take(path)
      let log = try folder.open("redis.log")
      redis = PrivateRedis(program, folder, log: log)
    } catch {
      throw .folder(error)
    }
    guard redis.socketPath.utf8.count <= SocketAddress.longestPath else { throw .pathTooLong }
    try redis.start()
    return redis
  }

  private var socketPath: String { "\(folder.path)/redis.sock" }

  /// Where it can be reached.
  var location: RedisAddress { RedisAddress(.unix(path: socketPath)) }

  /// Where its log is.
  var logPath: String { "\(folder.path)/redis.log" }

  /// Becomes readable when the server has ended.
  var descriptor: CInt { ending.number }

  /// Starts the server, or starts it again after it has ended.
  mutating func start() throws(Failure) {
    let arguments = [
      program, "--port", "0", "--unixsocket", socketPath, "--unixsocketperm", "700",
      "--dir", folder.path, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
      "--databases", "1", "--daemonize", "no", "--logfile", "",
    ]
    do {
      let child = try Self.spawn(arguments, log: log.number, kept: folder.lock.number)
      process = child
      ending = Descriptor(
        owning: try systemCall("pidfd_open") { clinux_watch_process(child) })
    } catch {
      throw .cannotStart(error)
    }
  }

  /// Waits until the server answers.
  ///
  /// - Parameter limit: how long at most; a long append-only file takes its time to load, and
  ///   the program can start meanwhile.
  /// - Throws: when the server has ended instead.
  func waitUntilReady(_ limit: Interval) throws(Failure) {
    let hasEnded: Bool
    do {
      hasEnded = try endsBeforeReady(limit)
    } catch {
      throw .cannotStart(error)
    }
    if hasEnded { throw .ended(lastWords: lastWords) }
  }

  private func endsBeforeReady(_ limit: Interval) throws(SystemError) -> Bool {
    let poller = try Poller()
    var events = Events()
    var connection = try RedisConnection(
      to: location, timeoutLimit: .seconds(5), poller, owner: 0)
    try poller.add(ending.number, .read, Token(owner: 1))
    var now = Instant.now
    let end = now + limit
    while now < end, !connection.isReady {
      connection.tick(now)
      try poller.wait(from: now, until: min(end, connection.deadline), &events)
      now = .now
      for index in 0..<events.count {
        if events[index].token.owner == 1 { return true }
        connection.handleEvent(events[index], now)
        _ = connection.nextReply(now)
      }
    }
    return false
  }

  /// The last line of its log.
  private var lastWords: String {
    let lines = TextFile.read(logPath, fromEnd: true)?.split(separator: "\n")
    return lines?.last.map(String.init) ?? ""
  }

  /// Takes note that it has ended, so that it can be started again.
  mutating func reap() {
    ending = .none
    waitpid(process, nil, 0)
    process = 0
  }

  /// Ends the server: politely, and after `patience` with force. Nothing is lost either way.
  ///
  /// - Returns: whether it took no force.
  mutating func stop(_ patience: Interval) -> Bool {
    guard process != 0 else { return true }
    kill(process, SIGTERM)
    let hasEnded = (try? waitForEnd(patience)) == true
    if !hasEnded { kill(process, SIGKILL) }
    reap()
    return hasEnded
  }

  private func waitForEnd(_ limit: Interval) throws(SystemError) -> Bool {
    let poller = try Poller()
    var events = Events()
    try poller.add(ending.number, .read, Token(owner: 0))
    let end = Instant.now + limit
    while events.count == 0, Instant.now < end {
      try poller.wait(from: .now, until: end, &events)
    }
    return events.count > 0
  }
}

// MARK: - Programs

extension PrivateRedis {
  /// The path of a program that can be run, from the folders that PATH names.
  private static func find(_ program: String) -> String? {
    let folders = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/bin:/bin"
    return folders.split(separator: ":").map { "\($0)/\(program)" }
      .first { unsafe access($0, X_OK) == 0 }
  }

  /// Runs a program that ends with this one.
  private static func spawn(
    _ arguments: [String], log: CInt, kept: CInt
  ) throws(SystemError) -> pid_t {
    var pointers = unsafe arguments.map { unsafe strdup($0) } + [nil]
    // Sound: the list ends with nil, and the child has its own copy of it.
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return try systemCall("fork") {
      unsafe clinux_spawn_bound(arguments[0], &pointers, log, kept)
    }
  }
}

extension PrivateRedis.Failure: CustomStringConvertible {
  /// The reason, and what to do about it, in one line.
  var description: String {
    switch self {
    case .notInstalled:
      """
      no Redis is named, and there is no redis-server in PATH to start: name one with --redis or \
      REDIS_URL, or install redis-server (Debian: apt-get install redis-server)
      """
    case .folder(.inUse(let process?)): "the data folder is in use by process \(process)"
    case .folder(.inUse(nil)): "the data folder is in use"
    case .folder(.system(let error)): "the data folder cannot be used: \(error.reason)"
    case .pathTooLong: "the data folder's path is too long for a socket in it"
    case .cannotStart(let error): "redis-server cannot be started: \(error)"
    case .ended(let lastWords): "redis-server ended: \(lastWords)"
    }
  }
}
