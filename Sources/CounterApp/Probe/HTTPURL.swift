/// The address of an HTTP server: `http://host[:port]`.
package struct HTTPURL: Equatable, Sendable {
  /// A host name or a numeric address.
  package var host: String

  /// The TCP port.
  package var port: UInt16

  /// A URL by its parts.
  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Why a text is not such a URL.
  package enum Malformed: Error, Equatable, Sendable {
    case otherScheme
    case badHost
    case badPort
    case hasPath

    /// The reason, for people.
    package var reason: String {
      switch self {
      case .otherScheme: "it does not start with http://"
      case .badHost: "it names no host"
      case .badPort: "the port is not a number from 1 to 65535"
      case .hasPath: "it names more than a host and a port"
      }
    }
  }

  /// Reads `http://host[:port]`, also with a slash at its end. An IPv6 address stands in brackets.
  package init(_ text: String) throws(Malformed) {
    guard text.hasPrefix("http://") else { throw .otherScheme }
    let rest = text.dropFirst("http://".count)
    let authority = rest.hasSuffix("/") ? rest.dropLast() : rest
    guard authority.allSatisfy(Self.isAllowed) else { throw .hasPath }
    let bracket = authority.hasPrefix("[") ? authority.firstIndex(of: "]") : nil
    let colon = authority[(bracket ?? authority.startIndex)...].firstIndex(of: ":")
    host = String(authority[..<(colon ?? authority.endIndex)])
    port = try Self.port(authority[(colon ?? authority.endIndex)...].dropFirst())
    if bracket != nil {
      guard host.hasSuffix("]") else { throw .badPort }
      host = String(host.dropFirst().dropLast())
    }
    guard !host.isEmpty else { throw .badHost }
  }

  /// Whether a character may stand in a host and a port (RFC 3986 section 3.2.2): characters that
  /// begin a path or end a user name may not, nor may those that would break a field line.
  private static func isAllowed(_ character: Character) -> Bool {
    guard let byte = character.asciiValue, byte > 0x20, byte < 0x7F else { return false }
    return !"/?#@\\".contains(character)
  }

  private static func port(_ digits: Substring) throws(Malformed) -> UInt16 {
    if digits.isEmpty { return 80 }
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits),
      port > 0
    else { throw .badPort }
    return port
  }

  /// Host and port.
  package var authority: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

extension HTTPURL: CustomStringConvertible {
  /// Host and port as the Host field has them, without the port 80 (RFC 9110 section 7.2).
  package var description: String {
    port == 80 ? String(authority.dropLast(":80".count)) : authority
  }
}
