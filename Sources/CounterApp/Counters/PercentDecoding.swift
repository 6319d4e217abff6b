import BasicContainers
import HTTP

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
      if byte == UInt8(ascii: "%") {
        guard let decoded = bytes.percentDecodedByte(at: index, before: range.upperBound) else {
          return false
        }
        byte = decoded
        index &+= 2
      } else if byte == UInt8(ascii: "+"), encoding == .query {
        byte = UInt8(ascii: " ")
      }
      append(byte)
      index &+= 1
    }
    return true
  }
}
