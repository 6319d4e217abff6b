import Foundation

/// Three redis-servers, a primary and two replicas, and three sentinels, which know them as `m`. All of them
/// write to disk before they answer.
final class RedisGroup {
  /// Who connects to a redis-server besides its clients.
  enum Peer: String, CaseIterable {
    case replica
    case sentinel
  }

  /// The first one is the primary at first.
  let servers: [RedisProcess]
  private(set) var sentinels: [SentinelProcess] = []

  private static let peerPassword = "peer-password"

  /// What clients of Redis authenticate with. A sentinel that is not let in would be a client like any other
  /// without it.
  private static let password = "client-password"

  /// - Parameter sentinelPassword: what clients of the sentinels authenticate with; nil for nothing.
  init(sentinelPassword: String? = nil) throws {
    let users = Peer.allCases.flatMap {
      ["--user", $0.rawValue, "on", ">\(Self.peerPassword)", "~*", "&*", "+@all"]
    }
    let flags =
      users + ["--masteruser", Peer.replica.rawValue, "--masterauth", Self.peerPassword]
      + ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]
    let primary = try RedisProcess(password: Self.password, flags: flags)
    var servers = [primary]
    for _ in 0..<2 {
      servers.append(try RedisProcess(password: Self.password, flags: flags, started: false))
    }
    self.servers = servers
    do {
      for replica in servers.dropFirst() { try replica.start(following: primary) }
      try primary.awaitReplicas(2)
      for _ in 0..<3 {
        sentinels.append(
          try SentinelProcess(
            watching: primary, as: (Peer.sentinel.rawValue, Self.peerPassword),
            password: sentinelPassword))
      }
      try waitUntil("the sentinels know each other and the replicas", within: .seconds(30)) {
        sentinels.allSatisfy(\.isComplete)
      }
    } catch {
      end()
      throw error
    }
  }

  /// Where clients find it.
  var url: String {
    let hosts = sentinels.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
    return "redis-sentinel://:\(Self.password)@\(hosts)#m"
  }

  /// The primary that most sentinels name.
  func primary() throws -> RedisProcess {
    try awaitPrimary("the sentinels agree on a primary") { _ in true }
  }

  /// The replicas of the primary, be they connected or not.
  func replicas() throws -> [RedisProcess] {
    let primary = try primary()
    return servers.filter { $0 !== primary }
  }

  /// Waits until a replica has taken over.
  ///
  /// - Returns: the new primary.
  func awaitFailover(from old: RedisProcess) throws -> RedisProcess {
    try awaitPrimary("a replica takes over") { $0 !== old }
  }

  private func awaitPrimary(
    _ what: String, _ condition: (RedisProcess) -> Bool
  ) throws -> RedisProcess {
    var found: RedisProcess?
    try waitUntil(what, within: .seconds(180)) {
      let ports = sentinels.compactMap(\.primaryPort)
      found = servers.first { server in
        condition(server) && ports.count { $0 == server.port } >= 2
          && (try? server.isReplica) == false
      }
      return found != nil
    }
    guard let found else { throw NeverHappened(description: what) }
    return found
  }

  /// Waits until all sentinels watch the same primary and no failover is under way. When the new primary is
  /// lost before that, Sentinel may wait for it for ever.
  func awaitSettling() throws {
    try waitUntil("the sentinels have finished the failover", within: .seconds(180)) {
      let ports = sentinels.map(\.settledPort)
      return ports[0] != nil && Set(ports).count == 1
    }
  }

  /// Waits until the sentinels have made a server a replica.
  func awaitDemotion(of server: RedisProcess) throws {
    try waitUntil("the old primary is made a replica", within: .seconds(180)) {
      (try? server.isReplica) == true
    }
  }

  /// From here on a server lets none of these in.
  func cutOff(_ server: RedisProcess, from peers: [Peer]) throws {
    for peer in peers {
      _ = try server.command("ACL", "SETUSER", peer.rawValue, "off")
      _ = try server.command("CLIENT", "KILL", "USER", peer.rawValue)
    }
  }

  /// Lets them in again.
  func reconnect(_ server: RedisProcess, with peers: [Peer]) throws {
    for peer in peers { _ = try server.command("ACL", "SETUSER", peer.rawValue, "on") }
  }

  func end() {
    for sentinel in sentinels { sentinel.end() }
    for server in servers { server.end() }
  }
}

/// Lends a group that is ended whatever happens.
func withRedisGroup<Result>(
  sentinelPassword: String? = nil, _ body: (RedisGroup) throws -> Result
) throws -> Result {
  let group = try RedisGroup(sentinelPassword: sentinelPassword)
  defer { group.end() }
  return try body(group)
}
