import BasicContainers

/// The forms of percent-encoding that a request target has.
enum PercentEncoding {
  /// A segment of the path (RFC 3986 section 2.1).
  case path
  /// A name or value in a query, where a plus sign stands for a space
  /// (https://url.spec.whatwg.org/#urlencoded-parsing).
  case query
}

extension UniqueArray<UInt8> {
  /// Adds bytes without their percent-encoding.
  ///
  /// - Returns: false when a percent sign is not followed by two hexadecimal digits.
  @inline(__always)
  mutating func append(
    decoding range: Range<Int>, of bytes: Span<UInt8>, _ encoding: PercentEncoding
  ) -> Bool {
    var index = range.lowerBound
    while index < range.upperBound {
      var byte = bytes[index]
      index &+= 1
      if byte == UInt8(ascii: "%") {
        guard index &+ 2 <= range.upperBound, let high = bytes[index].hexadecimalValue,
          let low = bytes[index &+ 1].hexadecimalValue
        else { return false }
        byte = high << 4 | low
        index &+= 2
      } else if byte == UInt8(ascii: "+"), encoding == .query {
        byte = UInt8(ascii: " ")
      }
      append(byte)
    }
    return true
  }
}

extension UInt8 {
  /// Its value as a hexadecimal digit of either case.
  fileprivate var hexadecimalValue: UInt8? {
    switch self {
    case 0x30...0x39: self - 0x30
    case 0x41...0x46: self - 0x37
    case 0x61...0x66: self - 0x57
    default: nil
    }
  }
}
