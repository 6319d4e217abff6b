// The forms of an address:
//
//   redis://[[user]:password@]host[:port][/database]       a server
//   redis://[[user]:password@]host[:port],host[:port]…     seeds of a Redis Cluster
//   redis-sentinel://[[user]:password@]host[:port][,host[:port]…][/database]#name
//   rediss://…, rediss-sentinel://…                        the same, encrypted
//   unix:/path, unix:///path                               a socket on this machine
//
// User, password and name are percent-decoded (RFC 3986 section 2.1). A part before `@` without a colon
// is a password, as in Redis's own tools before there were users.

package import System

extension RedisAddress {
  /// Reads an address in one of the forms above.
  package init(_ text: String) throws(AddressError) {
    // Schemes ignore case (RFC 3986 section 3.1).
    let scheme = text.prefix { $0 != ":" }.lowercased()
    let rest = text.dropFirst(scheme.count + 1)
    if scheme == "unix", text.contains(":") {
      self.init(.unix(path: try Self.parsePath(rest)))
      return
    }
    guard let kind = Self.schemes[scheme], rest.hasPrefix("//") else { throw .unknownScheme }
    var hosts = rest.dropFirst(2)
    var credentials: Substring?
    if let at = hosts.lastIndex(of: "@") {
      credentials = hosts[..<at]
      hosts = hosts[at...].dropFirst()
    }
    let name = Self.cut(&hosts, at: "#")
    guard !hosts.contains("?") else { throw .parameters }
    let digits = Self.cut(&hosts, at: "/") ?? ""
    guard let database = digits.isEmpty ? 0 : digits.wholeNumber else { throw .badDatabase }

    self.init(
      kind.isSentinel
        ? try Self.sentinels(hosts, name) : try Self.servers(hosts, name, database: database),
      isEncrypted: kind.isEncrypted, database: database)
    guard let credentials else { return }
    let parts = credentials.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let user = parts.count == 2 ? try Self.percentDecoded(parts[0]) : ""
    self.credentials = Credentials(
      user: user.isEmpty ? nil : user,
      password: try Self.percentDecoded(parts[parts.count - 1]))
  }

  private static let schemes: [String: (isEncrypted: Bool, isSentinel: Bool)] = [
    "redis": (false, false), "rediss": (true, false),
    "redis-sentinel": (false, true), "rediss-sentinel": (true, true),
  ]

  /// Ends a text before a separator.
  ///
  /// - Returns: what stood behind it; nil when there is none.
  private static func cut(_ text: inout Substring, at separator: Character) -> Substring? {
    guard let index = text.firstIndex(of: separator) else { return nil }
    defer { text = text[..<index] }
    return text[index...].dropFirst()
  }

  private static func parsePath(_ text: Substring) throws(AddressError) -> String {
    let path = text.hasPrefix("//") ? text.dropFirst(2) : text
    guard !path.isEmpty else { throw .noHost }
    guard !path.contains("?") else { throw .parameters }
    guard path.utf8.count <= SocketAddress.longestPath else { throw .pathTooLong }
    return String(path)
  }

  private static func sentinels(
    _ text: Substring, _ name: Substring?
  ) throws(AddressError) -> Endpoint {
    let sentinels = try hosts(text, defaultPort: defaultSentinelPort)
    let name = try percentDecoded(name ?? "")
    guard !name.isEmpty else { throw .noName }
    guard name.utf8.count <= longestName, name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
      throw .badName
    }
    return .sentinel(sentinels: sentinels, name: name)
  }

  private static func servers(
    _ text: Substring, _ name: Substring?, database: Int
  ) throws(AddressError) -> Endpoint {
    guard name == nil else { throw .nameOfNothing }
    let servers = try hosts(text, defaultPort: defaultPort)
    if servers.count == 1 { return .tcp(host: servers[0].host, port: servers[0].port) }
    guard database == 0 else { throw .databaseOfCluster }
    return .seeds(servers)
  }

  /// Reads hosts with a comma between two of them.
  private static func hosts(
    _ text: Substring, defaultPort: UInt16
  ) throws(AddressError) -> [HostPort] {
    var hosts: [HostPort] = []
    for host in text.split(separator: ",", omittingEmptySubsequences: false) {
      hosts.append(try HostPort(host, defaultPort: defaultPort))
      guard hosts.count <= mostHosts else { throw .tooManyHosts }
    }
    return hosts
  }

  private static func percentDecoded(_ text: Substring) throws(AddressError) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }),
        let low = rest.popFirst().flatMap({ Character(Unicode.Scalar($0)).hexDigitValue })
      else { throw .badPercentEncoding }
      bytes.append(UInt8(high << 4 | low))
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
      throw .badPercentEncoding
    }
    return decoded
  }
}

extension AddressError {
  package static let unknownScheme = AddressError(
    "it starts with none of redis://, rediss://, redis-sentinel://, rediss-sentinel:// and unix:")
  package static let badDatabase = AddressError("the database is not a number")
  package static let databaseOfCluster = AddressError("a Redis Cluster has no database but 0")
  package static let parameters = AddressError("parameters after a question mark are not known")
  package static let badPercentEncoding = AddressError("the percent-encoding is broken")
  package static let noName = AddressError(
    "it does not end with # and the name by which the sentinels know the primary")
  package static let badName = AddressError(
    "the name after # is longer than \(RedisAddress.longestName) bytes or has spaces in it")
  package static let nameOfNothing = AddressError(
    "a name after # belongs to redis-sentinel:// or rediss-sentinel://")
  package static let tooManyHosts = AddressError(
    "it names more than \(RedisAddress.mostHosts) hosts")
  package static let pathTooLong = AddressError(
    "a socket's path has at most \(SocketAddress.longestPath) bytes")
}
