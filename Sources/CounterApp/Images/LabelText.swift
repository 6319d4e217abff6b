import System

/// The text that an image may show beside its number.
enum LabelText {
  /// The longest label, in characters.
  static var longest: Int { 64 }

  /// Whether a text can stand in an image: UTF-8 without control characters, characters that change the
  /// direction of text, invisible ones, and what XML cannot hold (https://www.w3.org/TR/xml/#charsets).
  ///
  /// A text with a changed direction could be read as another one, together with what stands around it; one with
  /// invisible characters says to a program what nobody sees.
  static func isAllowed(_ text: Span<UInt8>) -> Bool {
    guard let text = try? UTF8Span(validating: text) else { return false }
    var scalars = text.makeUnicodeScalarIterator()
    // Tags spell the name of a region behind a black flag, such as that of Scotland, and are invisible elsewhere.
    var isFlag = false
    while let scalar = scalars.next() {
      if isFlag, 0xE0020...0xE007F ~= scalar.value { continue }
      guard isAllowed(scalar) else { return false }
      isFlag = scalar == "\u{1F3F4}"
    }
    return true
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20..<0x7F: true
    case 0..<0x20, 0x7F..<0xA0: false
    // Separators of lines, and marks around annotations.
    case 0x2028...0x2029, 0xFFF9...0xFFFB: false
    case 0xFFFE...0xFFFF: false
    // They join letters and emoji or keep them apart.
    case 0x200C...0x200D: true
    // All that changes the direction (https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters) is
    // among the invisible ones. A variation selector changes the look of the character before it.
    default:
      !scalar.properties.isDefaultIgnorableCodePoint || scalar.properties.isVariationSelector
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
