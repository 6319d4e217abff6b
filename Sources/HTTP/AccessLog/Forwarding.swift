/// What proxies say about where a request came from.
///
/// Each proxy adds, on the right, the address that it was asked from. A station is one of these, nil
/// when it is no address: malformed, hidden or unknown.
enum Forwarding {
  /// Goes from station to station, from the right, for as long as the word of the one before counts.
  ///
  /// - Returns: the last address that a trusted proxy vouches for; the peer, if one of them says
  ///   what is no address.
  static func origin(
    of peer: NetworkAddress, _ stations: [NetworkAddress?], _ trusted: [Network]
  ) -> NetworkAddress {
    var origin = peer
    for station in stations.reversed() {
      guard trusted.contains(where: { $0.contains(origin) }) else { break }
      guard let station else { return peer }
      origin = station
    }
    return origin
  }

  /// The stations that an X-Forwarded-For field names.
  static func stations(forwardedFor value: [UInt8]) -> [NetworkAddress?] {
    value.split(separator: .comma, omittingEmptySubsequences: false).map { node($0.trimmed) }
  }

  /// The stations that a Forwarded field names (RFC 7239 section 4).
  static func stations(forwarded value: [UInt8]) -> [NetworkAddress?] {
    split(value[...], at: .comma).map { element in
      var station: NetworkAddress?
      for pair in split(element, at: .semicolon) {
        let parts = pair.trimmed.split(separator: 0x3D, maxSplits: 1)
        guard parts.count == 2, parts[0].map(\.lowercased) == Array("for".utf8) else { continue }
        station = node(unquoted(parts[1])[...])
      }
      return station
    }
  }

  /// Reads an address, perhaps in brackets, perhaps with a port (RFC 7239 section 6).
  private static func node(_ text: ArraySlice<UInt8>) -> NetworkAddress? {
    if text.first == 0x5B {
      guard let end = text.firstIndex(of: 0x5D), isPort(text[(end + 1)...]) else { return nil }
      return NetworkAddress(text[(text.startIndex + 1)..<end])
    }
    if let address = NetworkAddress(text) { return address }
    guard let colon = text.firstIndex(of: .colon), isPort(text[colon...]) else { return nil }
    return NetworkAddress(text[..<colon])
  }

  /// Whether a text is nothing, or a colon and up to five digits.
  private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
    text.isEmpty
      || (text.first == .colon && (2...6).contains(text.count)
        && text.dropFirst().allSatisfy { $0.decimalDigit != nil })
  }

  /// Splits where a separator stands outside of quotation marks (RFC 9110 section 5.6.4).
  private static func split(_ text: ArraySlice<UInt8>, at separator: UInt8) -> [ArraySlice<UInt8>] {
    var parts: [ArraySlice<UInt8>] = []
    var (start, isQuoted, isEscaped) = (text.startIndex, false, false)
    for index in text.indices {
      if isEscaped {
        isEscaped = false
      } else if text[index] == 0x5C {
        isEscaped = isQuoted
      } else if text[index] == 0x22 {
        isQuoted.toggle()
      } else if text[index] == separator, !isQuoted {
        parts.append(text[start..<index])
        start = index + 1
      }
    }
    return parts + [text[start...]]
  }

  /// The content of a quoted string, or a token as it is.
  private static func unquoted(_ text: ArraySlice<UInt8>) -> [UInt8] {
    guard text.count >= 2, text.first == 0x22, text.last == 0x22 else { return Array(text) }
    return text.dropFirst().dropLast().filter { $0 != 0x5C }
  }
}

extension ArraySlice<UInt8> {
  /// Without the blanks at either end of it.
  fileprivate var trimmed: ArraySlice<UInt8> {
    let text = drop { $0.isBlank }
    return text.dropLast(text.reversed().prefix { $0.isBlank }.count)
  }
}
