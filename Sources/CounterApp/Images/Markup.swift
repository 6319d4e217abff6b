import System

/// What the images, which are texts in XML, are written with. There must be room for what is added.
extension OutputSpan<UInt8> {
  /// Adds text in UTF-8, with the characters of markup escaped (https://www.w3.org/TR/xml/#syntax).
  mutating func append(escaping text: Span<UInt8>) {
    for index in 0..<text.count {
      switch text[index] {
      case UInt8(ascii: "&"): append("&amp;")
      case UInt8(ascii: "<"): append("&lt;")
      case UInt8(ascii: ">"): append("&gt;")
      case UInt8(ascii: "\""): append("&quot;")
      case UInt8(ascii: "'"): append("&apos;")
      case let byte: append(byte)
      }
    }
  }

  /// Adds an attribute: a space, its name, and its value in quotes.
  ///
  /// - Parameter start: the space, the name, the equals sign and the first quote.
  mutating func append(_ start: StaticString, _ length: Length) {
    append(start)
    append(length)
    append("\"")
  }

  /// Adds an attribute whose value is a colour.
  mutating func append(_ start: StaticString, _ color: Color) {
    append(start)
    append(color)
    append("\"")
  }

  /// Adds a length in pixels, with as few decimals as it has.
  mutating func append(_ length: Length) {
    // Division by a constant is cheapest in 32 bits, and all lengths of an image fit.
    let hundredths = UInt32(truncatingIfNeeded: length.hundredths)
    append(whole: hundredths / 100)
    let fraction = hundredths % 100
    guard fraction != 0 else { return }
    append(".")
    append(UInt8(ascii: "0") + UInt8(fraction / 10))
    if fraction % 10 != 0 { append(UInt8(ascii: "0") + UInt8(fraction % 10)) }
  }

  private mutating func append(whole number: UInt32) {
    guard number < 1000 else { return append(decimal: Int64(number)) }
    if number >= 100 { append(UInt8(ascii: "0") + UInt8(number / 100)) }
    if number >= 10 { append(UInt8(ascii: "0") + UInt8(number / 10 % 10)) }
    append(UInt8(ascii: "0") + UInt8(number % 10))
  }

  /// Adds a colour as `#rrggbb`.
  mutating func append(_ color: Color) {
    append("#")
    var rest = color.rgb << 8
    for _ in 0..<6 {
      let digit = UInt8(rest >> 28)
      append(digit &+ (digit < 10 ? 0x30 : 0x57))
      rest <<= 4
    }
  }
}

/// A length that is not negative, in hundredths of a pixel.
struct Length: Equatable, Sendable, BitwiseCopyable {
  let hundredths: Int

  init(hundredths: Int) { self.hundredths = hundredths }

  /// - Parameter pixels: how many.
  init(_ pixels: Int) { hundredths = pixels * 100 }

  /// Rounded down.
  var pixels: Int { hundredths / 100 }

  static func + (one: Length, other: Length) -> Length {
    Length(hundredths: one.hundredths + other.hundredths)
  }

  static func + (one: Length, pixels: Int) -> Length { one + Length(pixels) }

  static func * (factor: Int, length: Length) -> Length {
    Length(hundredths: factor * length.hundredths)
  }

  static func / (length: Length, divisor: Int) -> Length {
    Length(hundredths: length.hundredths / divisor)
  }
}
