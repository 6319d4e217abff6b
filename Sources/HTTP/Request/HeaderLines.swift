/// The lines of a header, for parts that look for fields of their own: a second pass over bytes that
/// the parser has seen, and that it may have refused.
package struct HeaderLines: ~Escapable {
  private let bytes: Span<UInt8>
  private var index: Int

  /// The request line.
  package let requestLine: Range<Int>

  /// A field: the ranges of its name and, without the blanks around it, of its value.
  package struct Field: Sendable {
    package let name: Range<Int>
    package let value: Range<Int>
  }

  /// - Parameter header: begins with a request line, or with empty lines before it (RFC 9112 section
  ///   2.2).
  @_lifetime(copy header)
  package init(_ header: Span<UInt8>) {
    var start = 0
    while start < header.count, header[start] == .carriageReturn || header[start] == .lineFeed {
      start += 1
    }
    bytes = header
    requestLine = header.line(from: start)
    index = requestLine.upperBound
  }

  /// The next field; nil at the empty line that ends the header, or where the bytes end. Lines without
  /// a colon are left out.
  package mutating func next() -> Field? {
    while index < bytes.count {
      index += bytes.isEndOfLine(at: index) ? 2 : 1
      let line = bytes.line(from: index)
      guard !line.isEmpty else { break }
      index = line.upperBound
      guard let colon = line.first(where: { bytes[$0] == .colon }) else { continue }
      return Field(
        name: line.lowerBound..<colon, value: bytes.trimmed(colon + 1..<line.upperBound))
    }
    index = bytes.count
    return nil
  }
}

extension Span<UInt8> {
  /// From an index to the next end of line, which is left out.
  fileprivate func line(from start: Int) -> Range<Int> {
    guard start < count else { return count..<count }
    var end = endOfFieldValue(from: start)
    while end < count, self[end] != .carriageReturn, self[end] != .lineFeed {
      end = endOfFieldValue(from: end + 1)
    }
    return start..<end
  }
}
