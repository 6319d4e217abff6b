/// What the grammar of HTTP says of single bytes.
extension UInt8 {
  static var tab: UInt8 { 0x09 }
  static var lineFeed: UInt8 { 0x0A }
  static var carriageReturn: UInt8 { 0x0D }
  static var space: UInt8 { 0x20 }
  static var percent: UInt8 { 0x25 }
  static var asterisk: UInt8 { 0x2A }
  static var comma: UInt8 { 0x2C }
  static var slash: UInt8 { 0x2F }
  static var colon: UInt8 { 0x3A }
  static var semicolon: UInt8 { 0x3B }
  static var question: UInt8 { 0x3F }

  /// `tchar`, what names and methods are made of (RFC 9110 section 5.6.2).
  @inline(__always)
  var isTokenCharacter: Bool {
    Self.bit(self, in: 0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE)
  }

  /// What the name of a host is made of besides percent-encoding (`reg-name`, RFC 3986 section
  /// 3.2.2). The comma is left out: it would make a list of hosts look like one.
  var isHostNameCharacter: Bool {
    Self.bit(self, in: 0x2BFF_6FD2_0000_0000, 0x47FF_FFFE_87FF_FFFE)
  }

  /// What an IPv6 address is made of (`IPv6address`, RFC 3986 section 3.2.2).
  var isAddressCharacter: Bool { hexadecimalDigit != nil || self == .colon || self == 0x2E }

  /// What a request target may hold: visible ASCII but for the fragment's `#`. It is wider than
  /// RFC 3986, as clients are.
  @inline(__always)
  var isTargetCharacter: Bool { self > 0x20 && self < 0x7F && self != 0x23 }

  /// What a plain path is made of: letters, digits, slashes, hyphens, points and underscores.
  @inline(__always)
  var isPlainPathCharacter: Bool {
    Self.bit(self, in: 0x03FF_E000_0000_0000, 0x07FF_FFFE_87FF_FFFE)
  }

  /// What a field's value may hold (RFC 9110 section 5.5): no control character but the tab.
  @inline(__always)
  var isFieldCharacter: Bool { (self >= 0x20 && self != 0x7F) || self == .tab }

  /// Whether it is white space inside a line (RFC 9110 section 5.6.3).
  @inline(__always)
  var isBlank: Bool { self == .space || self == .tab }

  /// Its value as a decimal digit.
  @inline(__always)
  var decimalDigit: Int? {
    let value = self &- 0x30
    return value < 10 ? Int(value) : nil
  }

  /// Its value as a hexadecimal digit of either case.
  var hexadecimalDigit: Int? {
    if let digit = decimalDigit { return digit }
    let value = (self | 0x20) &- 0x61
    return value < 6 ? Int(value) + 10 : nil
  }

  /// Whether it is a small ASCII letter.
  @inline(__always)
  var isSmallLetter: Bool { self &- 0x61 < 26 }

  /// Looks an ASCII byte up in a set: bytes 0 to 63 are the bits of `low`, 64 to 127 of `high`.
  @inline(__always)
  private static func bit(_ byte: UInt8, in low: UInt64, _ high: UInt64) -> Bool {
    guard byte < 0x80 else { return false }
    let half = byte < 64 ? low : high
    return half >> UInt64(byte & 63) & 1 != 0
  }
}
