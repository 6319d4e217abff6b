/// A host, by its name or a numeric address, and a TCP port of it.
package struct HostPort: Equatable, Sendable {
  package let host: String
  package let port: UInt16

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Reads `host[:port]` (RFC 3986 section 3.2); an IPv6 address stands in brackets.
  package init(_ text: Substring, defaultPort: UInt16) throws(AddressError) {
    let isBracketed = text.hasPrefix("[") && text.contains("]")
    let end = text.firstIndex(of: isBracketed ? "]" : ":") ?? text.endIndex
    let host = isBracketed ? text[..<end].dropFirst() : text[..<end]
    let rest = isBracketed ? text[end...].dropFirst() : text[end...]
    guard !host.isEmpty else { throw .noHost }
    guard rest.isEmpty || rest.hasPrefix(":") else { throw .badPort }
    let digits = rest.dropFirst()
    let number = digits.isEmpty ? Int(defaultPort) : digits.wholeNumber
    guard let port = number.flatMap(UInt16.init(exactly:)), port > 0 else { throw .badPort }
    self.init(host: String(host), port: port)
  }
}

extension HostPort: CustomStringConvertible {
  /// `host:port`, an IPv6 address in brackets.
  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Why a text is no address, or a host has none, for people. The reason does not repeat the text, which
/// may hold a password.
package struct AddressError: Error, Equatable, Sendable {
  package let reason: String

  /// Whether the host may have an address later: the name server has not answered.
  package let isTemporary: Bool

  package init(_ reason: String, isTemporary: Bool = false) {
    self.reason = reason
    self.isTemporary = isTemporary
  }

  package static let noHost = AddressError("it names no host")
  package static let badPort = AddressError("the port is not a number from 1 to 65535")
}
