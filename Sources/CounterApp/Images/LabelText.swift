import System

/// The text that an image may show beside its number.
enum LabelText {
  /// The longest label, in characters.
  static var longest: Int { 64 }

  /// Whether a text can stand in an image: UTF-8 without control characters, characters that change the
  /// direction of text, and what XML cannot hold (https://www.w3.org/TR/xml/#charsets).
  ///
  /// A text with a changed direction could be read as another one, together with what stands around it.
  static func isAllowed(_ text: Span<UInt8>) -> Bool {
    guard let text = try? UTF8Span(validating: text) else { return false }
    var scalars = text.makeUnicodeScalarIterator()
    while let scalar = scalars.next() {
      guard isAllowed(scalar) else { return false }
    }
    return true
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: false
    // Arabic letter mark, marks of direction, separators of lines, embeddings and isolates
    // (https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters).
    case 0x61C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: false
    case 0xFFFE...0xFFFF: false
    default: true
    }
  }

  /// How many characters a text has: Unicode scalars, of which a letter with its accents may have several.
  static func characterCount(_ text: Span<UInt8>) -> Int {
    var count = 0
    // Every byte but those that continue a character.
    for index in 0..<text.count where text[index] & 0xC0 != 0x80 { count += 1 }
    return count
  }

  /// A text without the spaces at either end.
  @_lifetime(copy text)
  static func trimmed(_ text: Span<UInt8>) -> Span<UInt8> {
    var (start, end) = (0, text.count)
    while start < end, text[start] == UInt8(ascii: " ") { start += 1 }
    while end > start, text[end - 1] == UInt8(ascii: " ") { end -= 1 }
    return text.extracting(start..<end)
  }
}
