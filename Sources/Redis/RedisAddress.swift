import System

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

  /// The number of the database to select.
  package var database: Int

  /// The port of Redis when an address names none.
  package static var defaultPort: UInt16 { 6379 }

  /// An address, by its parts.
  package init(
    _ endpoint: Endpoint, user: String? = nil, password: String? = nil, database: Int = 0
  ) {
    self.endpoint = endpoint
    self.user = user
    self.password = password
    self.database = database
  }

  /// Why a text is no address. No case repeats the text, which may hold a password.
  package enum Malformed: Error, Equatable, Sendable {
    case unknownScheme
    case encryptionNotSupported
    case noHost
    case badPort
    case badDatabase
    case badPercentEncoding
    case pathTooLong

    /// What is wrong, for people.
    package var reason: String {
      switch self {
      case .unknownScheme: "it starts with neither redis:// nor unix:"
      case .encryptionNotSupported: "rediss:// (TLS) is not supported"
      case .noHost: "it names no host"
      case .badPort: "the port is not a number from 1 to 65535"
      case .badDatabase: "the database is not a number"
      case .badPercentEncoding: "the percent-encoding is broken"
      case .pathTooLong: "a socket's path has at most \(SocketAddress.longestPath) bytes"
      }
    }
  }

  /// Reads `redis://[[user]:password@]host[:port][/database]` or `unix:/path`, which may also be
  /// written `unix:///path`. User and password are percent-decoded (RFC 3986 section 3.2.1). A part
  /// before `@` without a colon is a password, as in Redis's own tools before there were users.
  package init(_ text: String) throws(Malformed) {
    if text.hasPrefix("unix:") {
      try self.init(socketPath: text.dropFirst(5))
      return
    }
    guard !text.hasPrefix("rediss://") else { throw .encryptionNotSupported }
    guard text.hasPrefix("redis://") else { throw .unknownScheme }
    var rest = text.dropFirst(8)

    var credentials: Substring?
    if let at = rest.lastIndex(of: "@") {
      credentials = rest[..<at]
      rest = rest[rest.index(after: at)...]
    }
    var database = 0
    if let slash = rest.firstIndex(of: "/") {
      let number = rest[rest.index(after: slash)...]
      guard number.isEmpty || Self.wholeNumber(number) != nil else { throw .badDatabase }
      database = Self.wholeNumber(number) ?? 0
      rest = rest[..<slash]
    }
    self.init(try Self.endpoint(rest), database: database)
    if let credentials {
      let parts = credentials.split(
        separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let name = parts.count == 2 ? try Self.percentDecoded(parts[0]) : ""
      user = name.isEmpty ? nil : name
      password = try Self.percentDecoded(parts[parts.count - 1])
    }
  }

  private init(socketPath path: Substring) throws(Malformed) {
    let path = path.hasPrefix("//") ? path.dropFirst(2) : path
    guard !path.isEmpty else { throw .noHost }
    guard path.utf8.count <= SocketAddress.longestPath else { throw .pathTooLong }
    self.init(.unix(path: String(path)))
  }

  /// Reads a host with an optional port; an IPv6 address stands in brackets.
  private static func endpoint(_ text: Substring) throws(Malformed) -> Endpoint {
    var host = text
    var port: Substring?
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { throw .badPort }
      port = rest.isEmpty ? nil : rest.dropFirst()
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
    }
    guard !host.isEmpty else { throw .noHost }
    guard let port else { return .tcp(host: String(host), port: defaultPort) }
    guard let number = wholeNumber(port).flatMap(UInt16.init(exactly:)), number > 0 else {
      throw .badPort
    }
    return .tcp(host: String(host), port: number)
  }

  /// The number that a text of nothing but decimal digits spells, or nil.
  private static func wholeNumber(_ text: Substring) -> Int? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
  }

  private static func percentDecoded(_ text: Substring) throws(Malformed) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(hexadecimalDigit),
        let low = rest.popFirst().flatMap(hexadecimalDigit)
      else { throw .badPercentEncoding }
      bytes.append(high << 4 | low)
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
      throw .badPercentEncoding
    }
    return decoded
  }

  private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
  }
}

extension RedisAddress: CustomStringConvertible {
  /// The address without user and password, for people.
  package var description: String {
    let suffix = database == 0 ? "" : "/\(database)"
    return switch endpoint {
    case .unix(let path): "unix:\(path)"
    case .tcp(let host, let port) where host.contains(":"): "redis://[\(host)]:\(port)\(suffix)"
    case .tcp(let host, let port): "redis://\(host):\(port)\(suffix)"
    }
  }
}
