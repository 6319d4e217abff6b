/// The elements of an X-Forwarded-For or Forwarded field, read from the right.
///
/// A proxy appends an element for the client that connected to it. All that stands to the left of it
/// was written by that client or by proxies further away, so nothing there may change how the element
/// is read. Reading from the right, the boundary of an element depends only on bytes of that element.
struct ForwardedElements: ~Escapable {
  /// The two fields that proxies use.
  enum Syntax {
    /// X-Forwarded-For: addresses, separated by commas.
    case addresses
    /// Forwarded: pairs of names and values, which may be quoted (RFC 7239 section 4).
    case pairs
  }

  private let bytes: Span<UInt8>
  private let syntax: Syntax
  private let start: Int
  private var end: Int?

  /// - Parameter value: the field's value in `bytes`.
  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>, _ value: Range<Int>, _ syntax: Syntax) {
    self.bytes = bytes
    self.syntax = syntax
    start = value.lowerBound
    end = value.upperBound
  }

  /// The longest element that is read, in bytes. Proxies write much shorter ones.
  private static var longest: Int { 512 }

  /// The next element to the left, without the blanks around it; nil after the first one. It may be
  /// empty (RFC 9110 section 5.6.1.2). It is too long for an address if no comma stands before it within
  /// `longest` bytes.
  mutating func next() -> Range<Int>? {
    guard let end else { return nil }
    let first = max(start, end - Self.longest - 1)
    let comma = lastComma(before: end, from: first)
    self.end = comma
    guard comma != nil || first == start else { return first..<end }
    return bytes.trimmed((comma.map { $0 + 1 } ?? first)..<end)
  }

  /// The last comma of a range that separates elements.
  private func lastComma(before end: Int, from first: Int) -> Int? {
    var index = end
    var isQuoted = false
    while index > first {
      index -= 1
      if bytes[index] == .comma, !isQuoted { return index }
      if syntax == .pairs, bytes[index] == .quotationMark, !isEscaped(index, from: first) {
        isQuoted.toggle()
      }
    }
    return nil
  }

  /// Whether an odd number of backslashes stands before an index (RFC 9110 section 5.6.4).
  private func isEscaped(_ index: Int, from first: Int) -> Bool {
    var start = index
    while start > first, bytes[start - 1] == .backslash { start -= 1 }
    return (index - start) % 2 == 1
  }

  /// The address that an element names.
  ///
  /// - Returns: nil when the element is malformed, or names something else (`unknown`, `_hidden`).
  func address(of element: Range<Int>) -> NetworkAddress? {
    guard element.count <= Self.longest else { return nil }
    return switch syntax {
    case .addresses: NetworkAddress(node: bytes, element)
    case .pairs: forValue(of: element).flatMap { NetworkAddress(node: bytes, $0) }
    }
  }

  /// The value of the one pair named `for`, without its quotation marks. No address has to be escaped,
  /// so a value with a backslash is none.
  private func forValue(of element: Range<Int>) -> Range<Int>? {
    var found: Range<Int>?
    var index = element.lowerBound
    while index < element.upperBound {
      let name = index..<min(bytes.endOfToken(from: index), element.upperBound)
      guard !name.isEmpty, name.upperBound < element.upperBound,
        bytes[name.upperBound] == .equals,
        let (value, end) = pairValue(from: name.upperBound + 1, element.upperBound)
      else { return nil }
      if bytes.spells("for", name) {
        guard found == nil else { return nil }
        found = value
      }
      index = end
      while index < element.upperBound, bytes[index].isBlank { index += 1 }
      guard index < element.upperBound else { break }
      guard bytes[index] == .semicolon else { return nil }
      repeat { index += 1 } while index < element.upperBound && bytes[index].isBlank
    }
    return found
  }

  /// A token or the inside of a quoted string, and the index behind it.
  private func pairValue(from start: Int, _ limit: Int) -> (Range<Int>, end: Int)? {
    guard start < limit else { return nil }
    guard bytes[start] == .quotationMark else {
      let end = min(bytes.endOfToken(from: start), limit)
      return end > start ? (start..<end, end) : nil
    }
    var index = start + 1
    while index < limit, bytes[index] != .quotationMark {
      index += bytes[index] == .backslash ? 2 : 1
    }
    return index < limit ? (start + 1..<index, index + 1) : nil
  }
}

extension NetworkAddress {
  /// The longest address as a text, in bytes (`INET6_ADDRSTRLEN` without its zero).
  private static var longestText: Int { 45 }

  /// Reads an address that may stand in brackets and may have a port (RFC 7239 section 6).
  init?(node bytes: Span<UInt8>, _ node: Range<Int>) {
    guard node.count <= Self.longestText + "[]:65535".utf8.count, !node.isEmpty else { return nil }
    if bytes[node.lowerBound] == .leftBracket {
      guard let end = node.first(where: { bytes[$0] == .rightBracket }),
        bytes.isPort(end + 1..<node.upperBound)
      else { return nil }
      self.init(text: bytes, node.lowerBound + 1..<end)
      return
    }
    if let address = NetworkAddress(text: bytes, node) {
      self = address
      return
    }
    guard let colon = node.first(where: { bytes[$0] == .colon }),
      bytes.isPort(colon..<node.upperBound)
    else { return nil }
    self.init(text: bytes, node.lowerBound..<colon)
  }

  private init?(text bytes: Span<UInt8>, _ range: Range<Int>) {
    guard range.count <= Self.longestText else { return nil }
    var text: [UInt8] = []
    for index in range { text.append(bytes[index]) }
    self.init(text)
  }
}

extension UInt8 {
  fileprivate static var quotationMark: UInt8 { 0x22 }
  fileprivate static var equals: UInt8 { 0x3D }
  fileprivate static var leftBracket: UInt8 { 0x5B }
  fileprivate static var backslash: UInt8 { 0x5C }
  fileprivate static var rightBracket: UInt8 { 0x5D }
}

extension Span<UInt8> {
  /// Whether a range is empty, or a colon and up to five digits.
  fileprivate func isPort(_ range: Range<Int>) -> Bool {
    range.isEmpty
      || (self[range.lowerBound] == .colon && (2...6).contains(range.count)
        && range.dropFirst().allSatisfy { self[$0].decimalDigit != nil })
  }
}
