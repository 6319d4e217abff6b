import Foundation

/// Some redis-servers of the test's own that are a Redis Cluster.
final class RedisCluster {
  /// With these, nodes and clients can also speak TLS.
  private let certificates: Certificates?

  /// All nodes, in the order in which they joined: at first the primaries, then a replica of each.
  private(set) var nodes: [RedisProcess] = []

  /// How many slots there are.
  static let slots = 16_384

  /// - Parameters:
  ///   - primaries: how many primaries share the slots.
  ///   - hasReplicas: whether each has a replica.
  ///   - certificates: those of the nodes, if they are to be reached encrypted.
  init(
    primaries: Int = 3, hasReplicas: Bool = false, certificates: Certificates? = nil
  ) throws {
    self.certificates = certificates
    for _ in 0..<(hasReplicas ? 2 * primaries : primaries) { nodes.append(try start()) }
    for (index, node) in nodes.prefix(primaries).enumerated() {
      let (first, end) = (
        index * Self.slots / primaries, (index + 1) * Self.slots / primaries
      )
      try Self.expectOK(node, "CLUSTER", "ADDSLOTSRANGE", "\(first)", "\(end - 1)")
    }
    for node in nodes.dropFirst() { try meet(node) }
    try waitUntilKnown()
    if hasReplicas {
      for (replica, primary) in zip(nodes[primaries...], nodes) {
        try Self.expectOK(replica, "CLUSTER", "REPLICATE", try Self.identity(of: primary))
      }
      try waitUntilReplicated(nodes.prefix(primaries))
    }
    try waitUntilServing()
  }

  private func start() throws -> RedisProcess {
    let encryption = try certificates.map { certificates in
      [
        "--tls-port", "\(try FreePort.take())", "--tls-cluster", "yes", "--tls-auth-clients", "no",
        "--tls-cert-file", certificates.path("server"), "--tls-key-file",
        certificates.key("server"),
        "--tls-ca-cert-file", certificates.path("authority"),
      ]
    }
    return try RedisProcess(
      flags: (encryption ?? []) + [
        "--cluster-enabled", "yes", "--cluster-port", "\(try FreePort.take())",
        "--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0",
        // A primary whose last slot has left stays one.
        "--cluster-allow-replica-migration", "no",
      ])
  }

  func end() {
    for node in nodes { node.end() }
  }

  /// All nodes as seeds.
  var url: String { "redis://" + nodes.map { "127.0.0.1:\($0.port)" }.joined(separator: ",") }

  /// The first node, over TLS.
  var encryptedURL: String {
    get throws { "rediss://127.0.0.1:\(try nodes[0].setting("tls-port"))" }
  }

  private static func identity(of node: RedisProcess) throws -> String {
    try node.command("CLUSTER", "MYID").text ?? ""
  }

  private static func expectOK(_ node: RedisProcess, _ words: String...) throws {
    let reply = try node.command(words)
    guard reply == .status("OK") else {
      throw NeverHappened(description: "\(words.prefix(4)) is answered \(reply)")
    }
  }

  // MARK: - What the nodes say

  private static func serves(_ node: RedisProcess) -> Bool {
    (try? node.command("CLUSTER", "INFO").text?.contains("cluster_state:ok")) == true
  }

  /// Waits until every node that answers serves.
  func waitUntilServing() throws {
    try waitUntil("the cluster serves", within: .seconds(60)) {
      nodes.allSatisfy { Self.serves($0) || (try? $0.command("PING")) == nil }
    }
  }

  private func waitUntilKnown() throws {
    try waitUntil("the nodes know each other", within: .seconds(60)) {
      try nodes.allSatisfy { node in
        let lines = try node.command("CLUSTER", "NODES").text?.split(separator: "\n") ?? []
        return lines.count == nodes.count && !lines.contains { $0.contains("handshake") }
      }
    }
  }

  private func waitUntilReplicated(_ primaries: some Sequence<RedisProcess>) throws {
    try waitUntil("the replicas follow", within: .seconds(60)) {
      try primaries.allSatisfy {
        try $0.command("INFO", "replication").text?.contains("state=online") == true
      }
    }
  }

  /// Whether a node is a primary, by its own account.
  static func isPrimary(_ node: RedisProcess) -> Bool {
    (try? node.command("INFO", "replication").text?.contains("role:master")) == true
  }

  /// The slot of a key.
  func slot(of key: String) throws -> Int {
    guard case .integer(let slot) = try nodes[0].command("CLUSTER", "KEYSLOT", key) else {
      throw NeverHappened(description: "Redis knows no slot of \(key)")
    }
    return Int(slot)
  }

  /// The primary that serves a key.
  func primary(of key: String) throws -> RedisProcess {
    var primary: RedisProcess?
    try waitUntil("\(key) is served", within: .seconds(60)) {
      primary = nodes.first { node in
        guard Self.isPrimary(node), let reply = try? node.command("EXISTS", key) else {
          return false
        }
        return reply == .integer(0) || reply == .integer(1)
      }
      return primary != nil
    }
    guard let primary else { throw NeverHappened(description: "nobody serves \(key)") }
    return primary
  }

  /// Executes a command at the primary of a key.
  func command(at key: String, _ words: String...) throws -> RESPReply {
    try primary(of: key).command(words)
  }

  /// All primaries that have slots.
  func primaries() throws -> [RedisProcess] {
    try nodes.filter { node in
      guard Self.isPrimary(node) else { return false }
      let lines = try node.command("CLUSTER", "NODES").text?.split(separator: "\n") ?? []
      let own = lines.first { $0.contains("myself") }
      return (own?.split(separator: " ").count ?? 0) > 8
    }
  }

  // MARK: - What is done to it

  private func meet(_ node: RedisProcess) throws {
    let port = certificates == nil ? "\(node.port)" : try node.setting("tls-port")
    try Self.expectOK(
      nodes[0] === node ? nodes[1] : nodes[0], "CLUSTER", "MEET", "127.0.0.1", port,
      try node.setting("cluster-port"))
  }

  /// Adds a primary without slots.
  func add() throws -> RedisProcess {
    let node = try start()
    nodes.append(node)
    try meet(node)
    try waitUntilKnown()
    try waitUntilServing()
    return node
  }

  /// Removes a node that has no slots any more, and ends it.
  func remove(_ node: RedisProcess) throws {
    let identity = try Self.identity(of: node)
    nodes.removeAll { $0 === node }
    for other in nodes { try Self.expectOK(other, "CLUSTER", "FORGET", identity) }
    node.end()
  }

  /// Moves the slot of a key to another primary, key by key, as `redis-cli --cluster reshard` does.
  ///
  /// - Parameter pause: is called between two parts of the keys.
  func moveSlot(of key: String, to target: RedisProcess, pause: () -> Void = {}) throws {
    let slot = "\(try slot(of: key))"
    let source = try primary(of: key)
    guard source !== target else { return }
    try openSlot(of: key, from: source, to: target)
    while case .list(let keys) = try source.command("CLUSTER", "GETKEYSINSLOT", slot, "10"),
      !keys.isEmpty
    {
      try Self.moveKeys(keys.compactMap(\.text), from: source, to: target)
      pause()
    }
    try closeSlot(of: key, from: source, to: target)
  }

  /// Begins to move the slot of a key, and moves none of its keys.
  func openSlot(of key: String, from source: RedisProcess, to target: RedisProcess) throws {
    let slot = "\(try slot(of: key))"
    let (from, to) = (try Self.identity(of: source), try Self.identity(of: target))
    try Self.expectOK(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", from)
    try Self.expectOK(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", to)
  }

  /// Moves keys of a slot that was opened.
  static func moveKeys(
    _ keys: [String], from source: RedisProcess, to target: RedisProcess
  ) throws {
    let reply = try source.command(
      ["MIGRATE", "127.0.0.1", "\(target.port)", "", "0", "10000", "KEYS"] + keys)
    guard reply == .status("OK") || reply == .status("NOKEY") else {
      throw NeverHappened(description: "MIGRATE is answered \(reply)")
    }
  }

  /// Ends the move of a slot.
  func closeSlot(of key: String, from source: RedisProcess, to target: RedisProcess) throws {
    let slot = "\(try slot(of: key))"
    let to = try Self.identity(of: target)
    for node in [target, source] { try Self.expectOK(node, "CLUSTER", "SETSLOT", slot, "NODE", to) }
    for node in nodes where node !== target && node !== source && Self.isPrimary(node) {
      _ = try node.command("CLUSTER", "SETSLOT", slot, "NODE", to)
    }
  }

  /// Kills a primary that has a replica, and waits until that was promoted.
  func loseAndPromote(_ primary: RedisProcess) throws {
    let before = nodes.filter { $0 !== primary && Self.isPrimary($0) }.count
    primary.crash()
    try waitUntil("a replica is promoted", within: .seconds(60)) {
      let serving = nodes.filter { $0 !== primary && Self.isPrimary($0) }
      return serving.count > before && serving.allSatisfy(Self.serves)
    }
  }

  /// Starts a node again that was killed, and waits until it follows the primary that was promoted.
  func restore(_ node: RedisProcess) throws {
    try node.start()
    try waitUntil("it follows", within: .seconds(60)) {
      try node.command("INFO", "replication").text?.contains("master_link_status:up") == true
    }
    try waitUntilServing()
  }
}

extension RedisProcess {
  /// What a setting is set to.
  fileprivate func setting(_ name: String) throws -> String {
    guard case .list(let pair) = try command("CONFIG", "GET", name), let value = pair.last?.text
    else {
      throw NeverHappened(description: "Redis has no setting \(name)")
    }
    return value
  }
}

/// Lends a Redis Cluster that is ended whatever happens.
func withRedisCluster<Result>(
  primaries: Int = 3, hasReplicas: Bool = false, certificates: Certificates? = nil,
  _ body: (RedisCluster) throws -> Result
) throws -> Result {
  let cluster = try RedisCluster(
    primaries: primaries, hasReplicas: hasReplicas, certificates: certificates)
  defer { cluster.end() }
  return try body(cluster)
}
