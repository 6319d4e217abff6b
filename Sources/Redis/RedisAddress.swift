package import System

/// Where Redis is, and the credentials for it.
package struct RedisAddress: Equatable, Sendable {
  /// What tells where Redis is.
  package enum Endpoint: Equatable, Sendable {
    /// A TCP port of a host, which is a name or a numeric address.
    case tcp(host: String, port: UInt16)
    /// A socket on this machine, by its path.
    case unix(path: String)
    /// Sentinels, which know the primary by a name.
    case sentinel(sentinels: [HostPort], name: String)
    /// Some nodes of a Redis Cluster, two or more.
    case seeds([HostPort])
  }

  package var endpoint: Endpoint

  /// Whether connections are encrypted (TLS), those to sentinels as well.
  package var isEncrypted: Bool

  /// The certificates and the key of encrypted connections.
  package var tlsFiles = TLSFiles()

  /// The user and the password for Redis.
  package var credentials: Credentials

  /// The user and the password for sentinels.
  package var sentinelCredentials = Credentials()

  /// The number of the database to select.
  package var database: Int

  /// The port of Redis when an address names none.
  package static var defaultPort: UInt16 { 6379 }

  /// The port of a sentinel when an address names none.
  package static var defaultSentinelPort: UInt16 { 26379 }

  /// How many sentinels or seeds an address may name.
  package static var mostHosts: Int { 32 }

  /// The longest name by which sentinels know a primary, in bytes.
  package static var longestName: Int { 128 }

  package init(
    _ endpoint: Endpoint, isEncrypted: Bool = false, user: String? = nil, password: String? = nil,
    database: Int = 0
  ) {
    self.endpoint = endpoint
    self.isEncrypted = isEncrypted
    credentials = Credentials(user: user, password: password)
    self.database = database
  }
}

extension RedisAddress: CustomStringConvertible {
  /// The address without user and password, for people.
  package var description: String {
    let encryption = isEncrypted ? "s" : ""
    let path = database == 0 ? "" : "/\(database)"
    return switch endpoint {
    case .unix(let path): "unix:\(path)"
    case .tcp(let host, let port):
      "redis\(encryption)://\(HostPort(host: host, port: port))\(path)"
    case .sentinel(let sentinels, let name):
      "redis\(encryption)-sentinel://\(list(sentinels))\(path)#\(name)"
    case .seeds(let seeds): "redis\(encryption)://\(list(seeds))"
    }
  }

  private func list(_ hosts: [HostPort]) -> String {
    hosts.map(\.description).joined(separator: ",")
  }
}
