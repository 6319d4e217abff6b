import Foundation
import Glibc

@testable import TestSupport

/// A look at the private redis-server that a counter keeps in its data folder.
final class PrivateRedis {
  let folder: String
  /// Those that were seen running, to leave none behind.
  private var seen: Set<pid_t> = []

  init(folder: String) {
    self.folder = folder
  }

  func command(_ words: String...) throws -> RESPReply {
    try RESPClient(.unix("\(folder)/redis.sock")).command(words)
  }

  var hits: String? {
    get throws { try command("GET", "hits").text }
  }

  /// The id of the redis-server that answers on the socket.
  func processID() throws -> pid_t {
    guard let info = try command("INFO", "server").text,
      let line = info.components(separatedBy: "\r\n").first(where: { $0.hasPrefix("process_id:") }),
      let id = pid_t(line.dropFirst("process_id:".count))
    else { throw NeverHappened(description: "Redis does not say its process id") }
    seen.insert(id)
    return id
  }

  /// Kills it as a crash would, and waits until it is gone.
  func crash() throws {
    let id = try processID()
    kill(id, SIGKILL)
    try waitUntilGone(id)
  }

  func waitUntilGone(_ id: pid_t, within limit: Duration = .seconds(5)) throws {
    try waitUntil("redis-server \(id) is gone", within: limit) { !ProcessTable.isRunning(id) }
  }

  /// Kills whatever outlived its counter.
  func end() {
    _ = try? processID()
    for id in seen where ProcessTable.isRunning(id) {
      let name = try? String(contentsOfFile: "/proc/\(id)/comm", encoding: .utf8)
      if name?.hasPrefix("redis-server") == true { kill(id, SIGKILL) }
    }
  }
}
