import CLinux
import Glibc
import Redis
import System

/// The installation of a private redis-server: its program, its data folder, its log. The server
/// listens on a unix socket in the folder, and has every write on disk before it answers.
struct PrivateRedis: ~Copyable {
  private let folder: DataFolder
  private let program: String
  private let log: Descriptor

  /// Where the redis-server can be reached.
  let location: RedisAddress

  /// Why there is no redis-server.
  enum Failure: Error, Equatable {
    case notInstalled
    case folder(SystemError)
    case folderInUse(byProcess: pid_t?)
    case pathTooLong
    case cannotStart(SystemError)
    case ended(lastLogLine: String?)
  }

  /// Finds the program and opens the data folder, which is made if it is missing.
  init(in path: String) throws(Failure) {
    guard let program = Self.find("redis-server") else { throw .notInstalled }
    let folder = try DataFolder(path)
    let log = try folder.open("redis.log")
    let socketPath = "\(folder.path)/redis.sock"
    guard socketPath.utf8.count <= SocketAddress.longestPath else { throw .pathTooLong }
    self.program = program
    self.folder = folder
    self.log = log
    location = RedisAddress(.unix(path: socketPath))
  }

  /// Locks the folder for this process.
  ///
  /// - Returns: false when the folder is still locked by a redis-server that its counter left
  ///   behind. It ends by itself, but not at once.
  func lockFolder() throws(Failure) -> Bool { try folder.lock() }

  /// Starts the server. The folder must be locked, and no other server may run on it.
  func start(_ poller: Poller, _ token: Token) throws(Failure) -> ServerProcess {
    let arguments = [
      program, "--port", "0", "--unixsocket", "\(folder.path)/redis.sock", "--unixsocketperm",
      "700",
      "--dir", folder.path, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
      "--databases", "1", "--daemonize", "no", "--logfile", "",
    ]
    do throws(SystemError) {
      let process = try ServerProcess(
        arguments, log: log.number, keeping: folder.lockFile.number)
      try process.watch(poller, token)
      return process
    } catch {
      throw .cannotStart(error)
    }
  }

  /// The size of the log, in bytes.
  var logSize: Int { TextFile.size(logPath) ?? 0 }

  /// The last line of the log after its first `size` bytes.
  func lastLogLine(after size: Int) -> String? { TextFile.lastLine(logPath, from: size) }

  private var logPath: String { "\(folder.path)/redis.log" }

  /// The path of a program, from the folders that PATH names.
  static func find(
    _ program: String, in path: String? = unsafe getenv("PATH").map { unsafe String(cString: $0) }
  ) -> String? {
    (path ?? "/usr/bin:/bin").split(separator: ":").map { "\($0)/\(program)" }
      .first(where: isProgram)
  }

  /// Whether a path names a file that this process may run; a folder is none.
  private static func isProgram(_ path: String) -> Bool {
    var status = stat()
    // Sound: the call fills in the one value it is handed.
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
    return unsafe access(path, X_OK) == 0
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
    case .folderInUse(let process?): "the data folder is in use by process \(process)"
    case .folderInUse(nil): "the data folder is in use"
    case .folder(let error): "the data folder cannot be used: \(error.reason)"
    case .pathTooLong: "the data folder's path is too long for a socket in it"
    case .cannotStart(let error): "redis-server cannot be started: \(error)"
    case .ended(let line?): "redis-server ended: \(line)"
    case .ended(nil): "redis-server ended, and logged no reason"
    }
  }
}
