import CLinux
import Glibc
import Redis
import System

/// The installation of a private redis-server: its program, its data folder, its log. The server
/// listens on a unix socket in the folder, and has every write on disk before it answers.
struct PrivateRedis: ~Copyable {
  let folder: DataFolder
  private let program: String
  private let log: Descriptor
  private let maxMemory: Int

  /// Where the redis-server can be reached.
  let location: RedisAddress

  /// Why there is no redis-server, in one line.
  struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
      self.description = description
    }
  }

  /// Finds the program and opens the data folder, which is made if it is missing.
  ///
  /// - Parameter maxMemory: what the server's data may take, in bytes; beyond it, it refuses to write.
  init(in path: String, maxMemory: Int) throws {
    guard let program = Self.find("redis-server") else {
      throw Application.Failure(
        """
        no Redis is named, and there is no redis-server in PATH to start: name one with --redis or \
        REDIS_URL, or install redis-server (Debian: apt-get install redis-server)
        """)
    }
    let folder = try DataFolder(path)
    let log = try folder.open("redis.log")
    let socketPath = "\(folder.path)/redis.sock"
    guard socketPath.utf8.count <= SocketAddress.longestPath else {
      throw Failure("the data folder's path is too long for a socket in it")
    }
    self.program = program
    self.folder = folder
    self.log = log
    self.maxMemory = maxMemory
    location = RedisAddress(.unix(path: socketPath))
  }

  /// Starts the server. The folder must be locked, and no other server may run on it.
  func start(_ poller: Poller, _ token: Token) throws -> ServerProcess {
    let arguments = [
      program, "--port", "0", "--unixsocket", "\(folder.path)/redis.sock",
      "--unixsocketperm", "700", "--dir", folder.path, "--appendonly", "yes", "--appendfsync",
      "always", "--save", "", "--maxmemory", "\(maxMemory)", "--maxmemory-policy", "noeviction",
      "--databases", "1", "--daemonize", "no", "--logfile", "",
    ]
    do {
      return try ServerProcess(
        arguments, log: log.number, keeping: folder.lockFile.number, poller, token)
    } catch {
      throw Failure("redis-server cannot be started: \(error)")
    }
  }

  /// The file that the server logs to.
  var logPath: String { "\(folder.path)/redis.log" }

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
