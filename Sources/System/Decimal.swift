public import BasicContainers

/// Numbers as decimal text.
public enum Decimal {
  /// The width of the longest number: 19 digits and a minus sign.
  @inlinable
  public static var longest: Int { 20 }

  /// The number of characters that a number takes.
  @inlinable @inline(__always)
  public static func width(of number: Int64) -> Int {
    var rest = number.magnitude
    var width = number < 0 ? 2 : 1
    while rest >= 10 {
      rest /= 10
      width &+= 1
    }
    return width
  }
}

extension OutputSpan<UInt8> {
  /// Adds the digits of a number, with a minus sign before a negative one.
  ///
  /// - Precondition: there is room for them.
  @inlinable @inline(__always)
  public mutating func append(decimal number: Int64) {
    // The lengths of most bodies have two digits.
    if number >= 10, number < 100 {
      append(0x30 &+ UInt8(truncatingIfNeeded: number / 10))
      append(0x30 &+ UInt8(truncatingIfNeeded: number % 10))
    } else {
      append(decimal: number, width: Decimal.width(of: number))
    }
  }

  /// Adds the digits of a number whose width is known.
  ///
  /// - Precondition: there is room for them.
  @inlinable @inline(__always)
  public mutating func append(decimal number: Int64, width: Int) {
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

  /// Adds some bytes.
  ///
  /// - Precondition: there is room for them.
  @inlinable @inline(__always)
  public mutating func append(_ bytes: borrowing Span<UInt8>) {
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
  @inlinable @inline(__always)
  public mutating func append(_ text: StaticString) {
    append(text.bytes)
  }
}

extension UniqueArray<UInt8> {
  /// Adds the digits of a number, with a minus sign before a negative one.
  @inlinable
  public mutating func append(decimal number: Int64) {
    append(addingCount: Decimal.longest) { output in output.append(decimal: number) }
  }

  /// Adds the UTF-8 of a constant text.
  @inlinable
  public mutating func append(_ text: StaticString) {
    append(addingCount: text.utf8CodeUnitCount) { output in output.append(text) }
  }
}

extension StringProtocol {
  /// The number that a text of decimal digits, and nothing else, stands for.
  package var wholeNumber: Int? {
    utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(self) : nil
  }
}
