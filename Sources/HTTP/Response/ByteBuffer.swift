import BasicContainers

/// Bytes on their way in or out, in storage of their own.
typealias ByteBuffer = UniqueArray<UInt8>

extension UniqueArray<UInt8> {
  /// Adds the UTF-8 of a constant text.
  mutating func append(_ text: StaticString) {
    // Sound: the text is a constant of the program, and its count is its own.
    unsafe append(
      copying: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Adds what another holds from an index on.
  mutating func append(_ other: borrowing ByteBuffer, from start: Int) {
    append(copying: other.span.extracting(start...))
  }

  /// Adds a number's decimal digits, with a minus sign where it is negative.
  mutating func append(decimal number: Int64) {
    var digits = InlineArray<20, UInt8>(repeating: 0)
    let first = Decimal.write(number, atTheEndOf: &digits)
    append(copying: digits.span.extracting(first...))
  }
}

/// Numbers as decimal text.
enum Decimal {
  /// How many characters a number takes.
  static func width(of number: Int64) -> Int {
    var rest = number.magnitude
    var width = number < 0 ? 2 : 1
    while rest >= 10 {
      rest /= 10
      width &+= 1
    }
    return width
  }

  /// Writes a number so that it ends where the array does; 20 characters hold the longest.
  ///
  /// - Returns: the index of its first character.
  static func write(_ number: Int64, atTheEndOf text: inout InlineArray<20, UInt8>) -> Int {
    var rest = number.magnitude
    var first = 20
    repeat {
      first &-= 1
      text[first] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest != 0
    if number < 0 {
      first &-= 1
      text[first] = 0x2D
    }
    return first
  }
}
