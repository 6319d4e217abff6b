import Foundation
import Glibc

/// A redis-server of the test's own on a TCP port of the loopback.
///
/// Every write is on disk before it is answered, so that it can be killed and started again
/// without forgetting what it answered.
final class RedisProcess {
  let port: UInt16
  private let folder: TemporaryFolder
  private let password: String?
  private let flags: [String]
  private var process: ChildProcess?

  /// - Parameters:
  ///   - flags: what redis-server is told besides.
  ///   - started: false leaves the port unused until `start()`.
  init(password: String? = nil, flags: [String] = [], started: Bool = true) throws {
    port = try FreePort.take()
    folder = try TemporaryFolder()
    self.password = password
    self.flags = flags
    if started { try start() }
  }

  var url: String { "redis://127.0.0.1:\(port)" }

  /// Where it listens besides the TCP port.
  var socketPath: String { "\(folder.path)/redis.sock" }

  func start() throws {
    var arguments = [
      "--port", "\(port)", "--bind", "127.0.0.1", "--unixsocket", socketPath,
      "--dir", folder.path, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
    ]
    if let password { arguments += ["--requirepass", password] }
    let started = try ChildProcess(
      try Self.executable(), arguments + flags, environment: [:], folder: folder.path)
    process = started
    try waitUntil("redis-server answers") {
      guard started.isRunning else {
        throw NeverHappened(description: "redis-server ended: \(started.output)")
      }
      return (try? command("PING")) == .status("PONG")
    }
  }

  /// Stops it in order.
  func stop() throws {
    process?.send(signal: SIGTERM)
    _ = try process?.waitForExit()
  }

  /// Kills it as a crash would.
  func crash() {
    process?.end()
  }

  /// From here on it answers nothing, and its connections stay open.
  func freeze() {
    process?.send(signal: SIGSTOP)
  }

  func thaw() {
    process?.send(signal: SIGCONT)
  }

  func command(_ words: String...) throws -> RESPReply {
    try RESPClient(.ipv4(port), password: password).command(words)
  }

  /// The count as it stands, as text; nil when nobody was counted.
  var hits: String? {
    get throws { try command("GET", "hits").text }
  }

  func end() {
    process?.end()
    folder.remove()
  }

  static func executable() throws -> String {
    let found = ["/usr/bin", "/usr/local/bin", "/usr/sbin", "/bin"]
      .map { "\($0)/redis-server" }
      .first(where: FileManager.default.isExecutableFile(atPath:))
    guard let found else { throw NeverHappened(description: "redis-server is not installed") }
    return found
  }
}

/// Lends a redis-server that is ended whatever happens.
func withRedis<Result>(
  password: String? = nil, flags: [String] = [], started: Bool = true,
  _ body: (RedisProcess) throws -> Result
) throws -> Result {
  let redis = try RedisProcess(password: password, flags: flags, started: started)
  defer { redis.end() }
  return try body(redis)
}
