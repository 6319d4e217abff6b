import System
import Foundation
import Glibc
import Redis

/// A redis-server of the benchmark's own, on a port of the loopback, with its data in a folder that
/// is gone in the end. It writes to disk as the one that Counter starts: append-only, and with
/// `appendfsync always` before it answers.
final class RedisServer {
  let process: pid_t
  let location: RedisAddress
  private let folder: String
  private let poller: Poller
  private var events = Events()
  private var connection: RedisConnection

  /// Why there is none, or no more.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Starts it, and waits until it answers.
  ///
  /// - Parameter fsync: what Redis calls `appendfsync`: always, everysec or no.
  init(fsync: String) throws {
    folder = NSTemporaryDirectory() + "emulated-loops-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // Below the range from which the kernel takes ports for outgoing connections.
    let port = UInt16.random(in: 20_000..<32_000)
    process = try spawn(
      "redis-server",
      [
        "--port", "\(port)", "--bind", "127.0.0.1", "--dir", folder, "--save", "",
        "--appendonly", "yes", "--appendfsync", fsync, "--auto-aof-rewrite-percentage", "0",
      ])
    location = RedisAddress(.tcp(host: "127.0.0.1", port: port))
    poller = try Poller()
    connection = try RedisConnection(
      to: location, timeoutLimit: .seconds(5), poller, owner: 0)
    let limit = Instant.now + .seconds(5)
    while !connection.isReady, Instant.now < limit { _ = try turn() }
    // Another server might have had the port: then ours has ended.
    guard connection.isReady, waitpid(process, nil, WNOHANG) == 0 else {
      throw Failure(description: "redis-server did not start")
    }
  }

  /// Ends the server, which is this program's own child, and removes its data.
  func stop() {
    kill(process, SIGTERM)
    waitpid(process, nil, 0)
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// The version of the redis-server that would be started.
  static func version() throws -> String {
    let server = try RedisServer(fsync: "no")
    defer { server.stop() }
    let lines = try server.ask("INFO", "server").split(whereSeparator: \.isNewline)
    return lines.first { $0.hasPrefix("redis_version:") }.map { String($0.dropFirst(14)) } ?? ""
  }

  /// What it answers to a command, as text.
  func ask(_ words: String...) throws -> String {
    let limit = Instant.now + .seconds(6)
    while !connection.isReady, Instant.now < limit { _ = try turn() }
    if connection.isReady { connection.send(Command(words), .now) }
    while Instant.now < limit {
      if let answer = try turn() { return answer }
    }
    throw Failure(description: "Redis did not answer \(words[0])")
  }

  private func turn() throws -> String? {
    connection.tick(.now)
    try poller.wait(from: .now, until: .now + .milliseconds(10), &events)
    var answer: String?
    for index in 0..<events.count {
      connection.handleEvent(events[index], .now)
      if let reply = connection.nextReply(.now) { answer = reply.text }
    }
    return answer
  }
}

/// Starts a program from PATH, silent, and with no signal blocked.
private func spawn(_ program: String, _ arguments: [String]) throws -> pid_t {
  var actions = unsafe posix_spawn_file_actions_t()
  unsafe posix_spawn_file_actions_init(&actions)
  defer { unsafe posix_spawn_file_actions_destroy(&actions) }
  unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
  unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)

  var attributes = posix_spawnattr_t()
  unsafe posix_spawnattr_init(&attributes)
  defer { unsafe posix_spawnattr_destroy(&attributes) }
  var none = sigset_t()
  unsafe sigemptyset(&none)
  unsafe posix_spawnattr_setsigmask(&attributes, &none)
  unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

  // Copies that live until the call returns; the kernel makes its own.
  let words = unsafe ([program] + arguments).map { unsafe strdup($0) }
  defer { unsafe words.forEach { unsafe free($0) } }
  var process: pid_t = 0
  let code = unsafe posix_spawnp(&process, program, &actions, &attributes, words + [nil], environ)
  guard code == 0 else {
    throw RedisServer.Failure(description: "\(program) cannot be started (error \(code))")
  }
  return process
}
