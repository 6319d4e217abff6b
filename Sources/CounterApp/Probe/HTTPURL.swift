package import System

/// The address of an HTTP server: `http://host[:port]`.
package struct HTTPURL: Equatable, Sendable {
  package let server: HostPort

  package init(host: String, port: UInt16) {
    server = HostPort(host: host, port: port)
  }

  /// Reads `http://host[:port]`, also with a slash at its end. An IPv6 address stands in brackets.
  package init(_ text: String) throws(AddressError) {
    guard text.hasPrefix("http://") else { throw .otherScheme }
    let rest = text.dropFirst("http://".count)
    let authority = rest.hasSuffix("/") ? rest.dropLast() : rest
    guard authority.allSatisfy(Self.isAllowed) else { throw .hasPath }
    server = try HostPort(authority, defaultPort: 80)
  }

  /// Whether a character may stand in a host and a port (RFC 3986 section 3.2.2): characters that
  /// begin a path or end a user name may not, nor may those that would break a field line.
  private static func isAllowed(_ character: Character) -> Bool {
    guard let byte = character.asciiValue, byte > 0x20, byte < 0x7F else { return false }
    return !"/?#@\\".contains(character)
  }
}

extension AddressError {
  static let otherScheme = AddressError("it does not start with http://")
  static let hasPath = AddressError("it names more than a host and a port")
}

extension HTTPURL: CustomStringConvertible {
  /// Host and port as the Host field has them, without the port 80 (RFC 9110 section 7.2).
  package var description: String {
    server.port == 80 ? String("\(server)".dropLast(":80".count)) : "\(server)"
  }
}
