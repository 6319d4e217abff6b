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
    append(addingCount: Decimal.longest) { output in
      output.append(decimal: number, width: Decimal.width(of: number))
    }
  }
}

/// Writing into room that was made before.
extension OutputSpan<UInt8> {
  /// Adds some bytes.
  ///
  /// - Precondition: there is room for them.
  @inline(__always)
  mutating func append(_ bytes: borrowing Span<UInt8>) {
    precondition(bytes.count <= freeCapacity)
    unsafe bytes.withUnsafeBufferPointer { source in
      unsafe withUnsafeMutableBufferPointer { buffer, initialized in
        guard let first = source.baseAddress else { return }
        // Sound: the room was just compared; the two cannot overlap, for this one is exclusive.
        unsafe buffer.baseAddress?.advanced(by: initialized)
          .initialize(from: first, count: source.count)
        initialized &+= source.count
      }
    }
  }

  /// Adds the UTF-8 of a constant text.
  ///
  /// - Precondition: there is room for it.
  @inline(__always)
  mutating func append(_ text: StaticString) {
    // Sound: the text is a constant of the program, and its count is its own.
    append(unsafe Span(_unsafeStart: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Adds a number's decimal digits, with a minus sign where it is negative.
  ///
  /// - Parameter width: how many characters that are, as `Decimal` says.
  /// - Precondition: there is room for them.
  @inline(__always)
  mutating func append(decimal number: Int64, width: Int) {
    precondition(width <= freeCapacity)
    unsafe withUnsafeMutableBufferPointer { buffer, initialized in
      // Sound: the room was just compared, and there are as many digits as the width says.
      var rest = number.magnitude
      var index = initialized &+ width
      repeat {
        index &-= 1
        unsafe buffer[index] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      } while rest != 0
      if number < 0 { unsafe buffer[initialized] = 0x2D }
      initialized &+= width
    }
  }
}

/// Numbers as decimal text.
enum Decimal {
  /// As many characters as the longest number takes.
  static var longest: Int { 20 }

  /// How many characters a number takes.
  @inline(__always)
  static func width(of number: Int64) -> Int {
    var rest = number.magnitude
    var width = number < 0 ? 2 : 1
    while rest >= 10 {
      rest /= 10
      width &+= 1
    }
    return width
  }
}
