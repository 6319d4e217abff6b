import Foundation
import Glibc

/// A sentinel of the test's own: a redis-server in that mode, on a TCP port of the loopback.
final class SentinelProcess {
  let port: UInt16
  private let folder: TemporaryFolder
  private let password: String?
  private let process: ChildProcess

  /// Watches a primary under the name `m`; two sentinels have to agree that it is down.
  ///
  /// - Parameters:
  ///   - user: by whom the sentinel is known to the redis-servers, and with which password.
  ///   - password: what clients of the sentinels, and they among each other, authenticate with.
  init(
    watching primary: RedisProcess, as user: (name: String, password: String), password: String?
  ) throws {
    port = try FreePort.take()
    folder = try TemporaryFolder()
    self.password = password
    var lines = [
      "port \(port)", "bind 127.0.0.1", "dir \(folder.path)",
      "sentinel monitor m 127.0.0.1 \(primary.port) 2",
      "sentinel down-after-milliseconds m 2000", "sentinel failover-timeout m 1500",
      "sentinel auth-user m \(user.name)", "sentinel auth-pass m \(user.password)",
    ]
    if let password { lines += ["requirepass \(password)", "sentinel sentinel-pass \(password)"] }
    let file = "\(folder.path)/sentinel.conf"
    try (lines.joined(separator: "\n") + "\n").write(
      toFile: file, atomically: true, encoding: .utf8)
    process = try ChildProcess(
      try RedisProcess.executable(), [file, "--sentinel"], environment: [:], folder: folder.path)
    try hasten()
  }

  /// Has it look at the servers more often than each second, each ten seconds and so on. So the offsets by which it
  /// chooses a replica, which may be five times as old as a ping, are younger than the loss of the primary.
  private func hasten() throws {
    try waitUntil("the sentinel answers", within: .seconds(30)) {
      let periods = ["PING-PERIOD", "300", "INFO-PERIOD", "200", "PUBLISH-PERIOD", "300"]
      return (try? command(["SENTINEL", "DEBUG"] + periods)) == .status("OK")
    }
  }

  /// Whether it knows the two others and both replicas.
  var isComplete: Bool {
    guard case .status(let quorum) = try? command("SENTINEL", "CKQUORUM", "m"),
      case .list(let replicas) = try? command("SENTINEL", "REPLICAS", "m")
    else { return false }
    return quorum.hasPrefix("OK 3") && replicas.count == 2
  }

  /// The port of the primary that it names; nil while it does not answer.
  var primaryPort: UInt16? {
    guard case .list(let address) = try? command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "m"),
      address.count == 2
    else { return nil }
    return address[1].text.flatMap(UInt16.init)
  }

  /// The port of the primary that it watches, once no failover is under way; nil otherwise.
  var settledPort: UInt16? {
    guard case .list(let list) = try? command("SENTINEL", "MASTER", "m") else { return nil }
    let words = list.map { $0.text ?? "" }
    let fields = Dictionary(
      stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }
    ) { $1 }
    return fields["flags"] == "master" ? fields["port"].flatMap(UInt16.init) : nil
  }

  func command(_ words: String...) throws -> RESPReply { try command(words) }

  private func command(_ words: [String]) throws -> RESPReply {
    try RESPClient(.ipv4(port), password: password).command(words)
  }

  func freeze() { process.send(signal: SIGSTOP) }

  func thaw() { process.send(signal: SIGCONT) }

  /// Kills it as a crash would.
  func crash() { process.end() }

  func end() {
    process.end()
    folder.remove()
  }
}
