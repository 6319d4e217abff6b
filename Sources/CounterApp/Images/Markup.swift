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
    append(decimal: Int64(length.hundredths / 100))
    let fraction = length.hundredths % 100
    guard fraction != 0 else { return }
    append(".")
    append(UInt8(ascii: "0") + UInt8(fraction / 10))
    if fraction % 10 != 0 { append(UInt8(ascii: "0") + UInt8(fraction % 10)) }
  }

  /// Adds a colour as `#rrggbb`.
  mutating func append(_ color: Color) {
    append("#")
    for shift in stride(from: UInt32(20), through: 0, by: -4) {
      let digit = UInt8(color.rgb >> shift & 15)
      append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
  }
}

/// A length that is not negative, in hundredths of a pixel.
struct Length: Equatable, Sendable, BitwiseCopyable {
  let hundredths: Int

  init(hundredths: Int) { self.hundredths = hundredths }

  /// - Parameter pixels: how many.
  init(_ pixels: Int) { hundredths = pixels * 100 }

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
