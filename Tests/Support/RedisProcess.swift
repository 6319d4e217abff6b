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

  /// - Parameter extra: what redis-server is told besides, this time only.
  func start(with extra: [String] = []) throws {
    var arguments = [
      "--port", "\(port)", "--bind", "127.0.0.1", "--unixsocket", socketPath,
      "--dir", folder.path, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
      "--repl-diskless-sync-delay", "0",
    ]
    if let password { arguments += ["--requirepass", password] }
    let started = try ChildProcess(
      try Self.executable(), arguments + flags + extra, environment: [:], folder: folder.path)
    process = started
    try waitUntil("redis-server answers") {
      guard started.isRunning else {
        throw NeverHappened(description: "redis-server ended: \(started.output)")
      }
      // Who asks while it loads is counted among its errors; some tests count them.
      guard started.output.contains("Ready to accept connections") else { return false }
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

  /// The file of its append-only log that is being written to.
  var log: URL {
    get throws {
      let folder = URL(fileURLWithPath: "\(folder.path)/appendonlydir")
      let files = try FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: nil
      )
      .filter { $0.lastPathComponent.hasSuffix(".incr.aof") }
      guard let written = files.max(by: { number(of: $0) < number(of: $1) }) else {
        throw NeverHappened(description: "there is no log in \(folder)")
      }
      return written
    }
  }

  /// How many transactions its log holds from beginning to end.
  var transactionsLogged: Int {
    get throws {
      try String(decoding: Data(contentsOf: log), as: UTF8.self)
        .components(separatedBy: "\r\nEXEC\r\n").count - 1
    }
  }

  /// Of a file of the log, like `appendonly.aof.7.incr.aof`.
  private func number(of file: URL) -> Int {
    file.lastPathComponent.split(separator: ".").compactMap { Int($0) }.last ?? 0
  }

  /// What a log is torn in.
  enum Tear {
    /// A batch. It is one that was logged before, for nobody will ever read the whole of it.
    case batch
    /// A transaction of another program.
    case transactionOfAnother
  }

  /// Ends its log, which must be whole, with a part of something, as if a crash had come while that was
  /// written.
  func tearLog(in tear: Tear) throws {
    let bytes =
      switch tear {
      case .batch: try lastBatchLogged
      case .transactionOfAnother: Data(Self.transaction.utf8)
      }
    let file = try FileHandle(forWritingTo: log)
    try file.seekToEnd()
    try file.write(contentsOf: bytes.prefix(.random(in: 1..<bytes.count)))
    try file.close()
  }

  private static let transaction = ["MULTI", "INCR other", "INCR another", "EXEC"]
    .map { $0.split(separator: " ").map { "$\($0.count)\r\n\($0)\r\n" } }
    .map { "*\($0.count)\r\n" + $0.joined() }.joined()

  private var lastBatchLogged: Data {
    get throws {
      let bytes = try Data(contentsOf: log)
      let separator = Data("\r\n*".utf8)
      var end = bytes.endIndex
      while let start = bytes.range(of: separator, options: .backwards, in: 0..<end) {
        let command = bytes[(start.lowerBound + 2)..<end]
        // A registration writes the record only.
        let isRegistration = command.starts(with: "*3\r\n".utf8)
        if !isRegistration, command.range(of: Data("\r\n$4\r\nMSET\r\n".utf8)) != nil {
          return command
        }
        end = start.lowerBound + 2
      }
      throw NeverHappened(description: "there is no batch in the log")
    }
  }

  /// From here on it answers nothing, and its connections stay open.
  func freeze() {
    process?.send(signal: SIGSTOP)
  }

  func thaw() {
    process?.send(signal: SIGCONT)
  }

  func command(_ words: String...) throws -> RESPReply { try command(words) }

  func command(_ words: [String]) throws -> RESPReply {
    try RESPClient(.ipv4(port), password: password).command(words)
  }

  /// The count as it stands, as text; nil when nobody was counted.
  var hits: String? {
    get throws { try command("GET", "hits").text }
  }

  /// How many errors of a kind it answered since it started, by the word that such errors begin
  /// with.
  func errorCount(_ kind: String) throws -> Int {
    Int(try statistic("errorstat_\(kind)", section: "errorstats")["count"] ?? "0") ?? 0
  }

  /// How many commands of a name came since it started.
  func callCount(_ name: String) throws -> Int {
    Int(try statistic("cmdstat_\(name)", section: "commandstats")["calls"] ?? "0") ?? 0
  }

  /// A line of INFO of the form `name:key=value,key=value`; empty when there is none.
  private func statistic(_ name: String, section: String) throws -> [String: String] {
    let info = try command("INFO", section).text ?? ""
    guard let line = info.components(separatedBy: "\r\n").first(where: { $0.hasPrefix(name + ":") })
    else { return [:] }
    let pairs = line.dropFirst(name.count + 1).split(separator: ",").map { pair in
      let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
      return (parts[0], parts.last ?? "")
    }
    return Dictionary(pairs) { $1 }
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
