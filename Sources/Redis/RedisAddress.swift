package import System

/// The address of a Redis server, and the credentials for it.
package struct RedisAddress: Equatable, Sendable {
  /// The socket that the server listens on.
  package enum Endpoint: Equatable, Sendable {
    /// A TCP port of a host, which is a name or a numeric address.
    case tcp(host: String, port: UInt16)
    /// A socket on this machine, by its path.
    case unix(path: String)
  }

  /// The socket that the server listens on.
  package var endpoint: Endpoint

  /// The user to authenticate as; nil for the default user (AUTH, since Redis 6).
  package var user: String?

  /// The password to authenticate with; nil for none.
  package var password: String?

  /// The file that the password was read from. It is read again whenever Redis refuses the greeting.
  package var passwordFile: PasswordFile?

  /// The number of the database to select.
  package var database: Int

  /// The port of Redis when an address names none.
  package static var defaultPort: UInt16 { 6379 }

  package init(
    _ endpoint: Endpoint, user: String? = nil, password: String? = nil, database: Int = 0
  ) {
    self.endpoint = endpoint
    self.user = user
    self.password = password
    self.database = database
  }

  /// Reads `redis://[[user]:password@]host[:port][/database]` or `unix:/path`, which may also be
  /// written `unix:///path`. User and password are percent-decoded (RFC 3986 section 3.2.1). A part
  /// before `@` without a colon is a password, as in Redis's own tools before there were users.
  package init(_ text: String) throws(AddressError) {
    // Schemes ignore case (RFC 3986 section 3.1).
    let scheme = text.prefix { $0 != ":" }.lowercased()
    var rest = text.dropFirst(scheme.count + 1)
    if scheme == "unix", text.contains(":") {
      try self.init(socketPath: rest)
      return
    }
    guard rest.hasPrefix("//"), scheme.hasPrefix("redis") else { throw .unknownScheme }
    guard scheme != "rediss" else { throw .encryptionNotSupported }
    guard scheme == "redis" else { throw .unknownScheme }
    rest = rest.dropFirst(2)

    var credentials: Substring?
    if let at = rest.lastIndex(of: "@") {
      credentials = rest[..<at]
      rest = rest[rest.index(after: at)...]
    }
    var database = 0
    if let slash = rest.firstIndex(of: "/") {
      guard !rest[slash...].contains("?") else { throw .parameters }
      let digits = rest[slash...].dropFirst()
      guard let number = digits.isEmpty ? 0 : digits.wholeNumber else { throw .badDatabase }
      database = number
      rest = rest[..<slash]
    }
    guard !rest.contains("?") else { throw .parameters }
    let server = try HostPort(rest, defaultPort: Self.defaultPort)
    self.init(.tcp(host: server.host, port: server.port), database: database)
    if let credentials {
      let parts = credentials.split(
        separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let name = parts.count == 2 ? try Self.percentDecoded(parts[0]) : ""
      user = name.isEmpty ? nil : name
      password = try Self.percentDecoded(parts[parts.count - 1])
    }
  }

  private init(socketPath path: Substring) throws(AddressError) {
    let path = path.hasPrefix("//") ? path.dropFirst(2) : path
    guard !path.isEmpty else { throw .noHost }
    guard !path.contains("?") else { throw .parameters }
    guard path.utf8.count <= SocketAddress.longestPath else { throw .pathTooLong }
    self.init(.unix(path: String(path)))
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
  package static let unknownScheme = AddressError("it starts with neither redis:// nor unix:")
  package static let encryptionNotSupported = AddressError("rediss:// (TLS) is not supported")
  package static let badDatabase = AddressError("the database is not a number")
  package static let parameters = AddressError("parameters after a question mark are not known")
  package static let badPercentEncoding = AddressError("the percent-encoding is broken")
  package static let pathTooLong = AddressError(
    "a socket's path has at most \(SocketAddress.longestPath) bytes")
}

extension RedisAddress: CustomStringConvertible {
  /// The address without user and password, for people.
  package var description: String {
    switch endpoint {
    case .unix(let path): return "unix:\(path)"
    case .tcp(let host, let port):
      let suffix = database == 0 ? "" : "/\(database)"
      return "redis://\(HostPort(host: host, port: port))\(suffix)"
    }
  }
}
