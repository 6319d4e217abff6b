import Foundation

extension RedisProcess {
  /// Starts it as a replica.
  func start(following primary: RedisProcess) throws {
    try start(with: ["--replicaof", "127.0.0.1", "\(primary.port)"])
  }

  var isReplica: Bool {
    get throws { try replication.contains("role:slave") }
  }

  /// Waits until so many replicas have all that it has now.
  func awaitReplicas(_ count: Int) throws {
    // WAIT would not do: it waits for what was written on its own connection.
    let end = try offset(in: replication.first { $0.hasPrefix("master_repl_offset:") })
    try waitUntil("\(count) replicas are up to date", within: .seconds(60)) {
      try replication.count { line in
        line.hasPrefix("slave") && line.contains("state=online")
          && offset(in: line.split(separator: ",").first { $0.hasPrefix("offset=") }) >= end
      } >= count
    }
  }

  /// The number at the end of a text.
  private func offset(in text: (some StringProtocol)?) -> Int {
    text?.split { ":=".contains($0) }.last.flatMap { Int($0) } ?? -1
  }

  private var replication: [String] {
    get throws { try command("INFO", "replication").text?.components(separatedBy: "\r\n") ?? [] }
  }
}
