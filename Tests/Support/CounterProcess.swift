import Foundation
import Glibc

/// The built executable, running.
final class CounterProcess {
  let port: UInt16
  let process: ChildProcess

  /// Starts it on a free port of 127.0.0.1 unless the flags say otherwise.
  ///
  /// - Parameters:
  ///   - environment: added to a PATH on which redis-server is found, to METRICS_PORT=0, and to what
  ///     ThreadSanitizer is told; nothing else is inherited.
  ///   - folder: its working folder.
  ///   - port: one that another counter had before, or nil for a free one.
  ///   - program: another executable than the one under test.
  ///   - openFiles: how many files and connections it may have open, nil for as many as the suite.
  ///   - controlGroup: the folder of the control group it runs in, nil for that of the suite.
  ///   - redirection: where the shell sends what it prints, instead of into files.
  init(
    _ flags: [String], environment: [String: String] = [:], folder: String, port: UInt16? = nil,
    program: String? = nil, openFiles: Int? = nil, controlGroup: String? = nil,
    redirection: String = ""
  ) throws {
    self.port = try port ?? FreePort.take()
    let address = flags.contains("--host") ? [] : ["--host", "127.0.0.1"]
    process = try Self.start(
      address + ["--port", "\(self.port)"] + flags, environment: environment, folder: folder,
      program: program, openFiles: openFiles, controlGroup: controlGroup, redirection: redirection)
  }

  /// Runs it with exactly these arguments until it exits by itself.
  static func run(
    _ arguments: [String], environment: [String: String] = [:], folder: String
  ) throws -> ChildProcess {
    let process = try start(arguments, environment: environment, folder: folder)
    do {
      _ = try process.waitForExit()
    } catch {
      process.end()
      throw error
    }
    return process
  }

  static func start(
    _ arguments: [String], environment: [String: String], folder: String,
    program: String? = nil, openFiles: Int? = nil, controlGroup: String? = nil,
    redirection: String = ""
  ) throws -> ChildProcess {
    let join = controlGroup.map { "echo $$ >'\($0)/cgroup.procs' && " } ?? ""
    let limit = openFiles.map { "ulimit -n \($0) && " } ?? ""
    return try ChildProcess(
      "/bin/sh",
      ["-c", join + limit + "exec \"$0\" \"$@\" \(redirection)", try program ?? executable()]
        + arguments,
      environment: usualEnvironment.merging(environment) { $1 }, folder: folder)
  }

  /// What a counter inherits from the tests.
  static var usualEnvironment: [String: String] {
    var environment = [
      "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      // Many counters run side by side.
      "METRICS_PORT": "0",
    ]
    environment["TSAN_OPTIONS"] = ProcessInfo.processInfo.environment["TSAN_OPTIONS"]
    return environment
  }

  /// What the environment variable COUNTER_EXECUTABLE names, else the one built with the tests.
  static func executable() throws -> String {
    if let named = ProcessInfo.processInfo.environment["COUNTER_EXECUTABLE"] { return named }
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: tests).deletingLastPathComponent()
      .appendingPathComponent("counter").path
  }

  /// What it has logged so far.
  var log: String { process.errors }

  /// How many lines it has logged so far that hold a text.
  func linesLogged(with text: String) -> Int {
    log.split(separator: "\n").count { $0.contains(text) }
  }

  /// Waits until it serves.
  func waitUntilReady() throws {
    try waitUntil("the counter answers /health") {
      guard process.isRunning else {
        throw NeverHappened(
          description: "the counter exited with \(process.exitCode ?? -1): \(log)")
      }
      return (try? client().get("/health").status) == 200
    }
  }

  func waitUntilLogged(_ text: String, within limit: Duration = .seconds(10)) throws {
    try waitUntil("\"\(text)\" is logged", within: limit) { log.contains(text) }
  }

  /// Waits until every event loop drains: then nobody accepts connections any more.
  func waitUntilRefusing(within limit: Duration = .seconds(2)) throws {
    try waitUntil("new connections are refused", within: limit) {
      do {
        _ = try client()
        return false
      } catch SocketError.refused {
        return true
      } catch SocketError.reset {
        return false
      }
    }
  }

  func client(receiveBuffer: Int32? = nil, limit: Duration = .seconds(10)) throws -> HTTPClient {
    try HTTPClient(port: port, receiveBuffer: receiveBuffer, limit: limit)
  }

  /// Visits on a connection of its own.
  func visit() throws -> Int64 {
    try client().visit()
  }

  func send(signal: Int32) {
    process.send(signal: signal)
  }

  func waitForExit(within limit: Duration = .seconds(15)) throws -> Int32 {
    try process.waitForExit(within: limit)
  }

  func end() {
    process.end()
  }
}

/// Lends a running counter that is ended whatever happens.
func withCounter<Result>(
  _ flags: [String], environment: [String: String] = [:],
  _ body: (CounterProcess) throws -> Result
) throws -> Result {
  try withTemporaryFolder { folder in
    let counter = try CounterProcess(flags, environment: environment, folder: folder)
    defer { counter.end() }
    try counter.waitUntilReady()
    return try body(counter)
  }
}

/// Lends a running counter together with the redis-server of its own that it counts in.
func withCounterAndRedis<Result>(
  _ flags: [String] = [], _ body: (CounterProcess, RedisProcess) throws -> Result
) throws -> Result {
  try withRedis { redis in
    try withCounter(["--redis", redis.url] + flags) { counter in
      try body(counter, redis)
    }
  }
}
