/// What the grammar of HTTP says of single bytes, and searches that look at eight at a time.
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

  /// What a `uri-host` with an optional port is made of (RFC 9110 section 7.2).
  var isHostCharacter: Bool {
    Self.bit(self, in: 0x2FFF_6FF2_0000_0000, 0x47FF_FFFE_AFFF_FFFE)
  }

  /// What a request target may hold: visible ASCII but for the fragment's `#`. It is wider than
  /// RFC 3986, as clients are.
  @inline(__always)
  var isTargetCharacter: Bool { self > 0x20 && self < 0x7F && self != 0x23 }

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

  /// The byte with an ASCII capital made small.
  @inline(__always)
  var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

  /// Looks an ASCII byte up in a set: bytes 0 to 63 are the bits of `low`, 64 to 127 of `high`.
  @inline(__always)
  private static func bit(_ byte: UInt8, in low: UInt64, _ high: UInt64) -> Bool {
    guard byte < 0x80 else { return false }
    let half = byte < 64 ? low : high
    return half >> UInt64(byte & 63) & 1 != 0
  }
}

extension Span<UInt8> {
  /// The first index from `start` on whose byte no field value can hold, or `count`.
  func endOfFieldValue(from start: Int) -> Int {
    var index = start
    while true {
      // Eight at a time, as long as none of the eight can be a control character.
      while index &+ 8 <= count {
        let word = eightBytes(at: index)
        let below = (word &- 0x2020_2020_2020_2020) & ~word
        let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
        let equal = (delete &- 0x0101_0101_0101_0101) & ~delete
        if (below | equal) & 0x8080_8080_8080_8080 != 0 { break }
        index &+= 8
      }
      // One at a time through the eight that may hold one.
      let end = Swift.min(index &+ 8, count)
      while index < end {
        guard self[index].isFieldCharacter else { return index }
        index &+= 1
      }
      if index == count { return index }
    }
  }

  /// Eight bytes as one number, in the machine's order.
  ///
  /// - Precondition: they lie within the span; the caller has just compared.
  @inline(__always)
  private func eightBytes(at index: Int) -> UInt64 {
    // Sound: `index + 8 <= count`, and any eight bytes are a UInt64.
    unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
  }

  /// Whether the bytes of `range` spell `word`, in whatever case.
  ///
  /// - Parameter word: lower case.
  func spells(_ word: StaticString, _ range: Range<Int>) -> Bool {
    guard range.count == word.utf8CodeUnitCount else { return false }
    for offset in 0..<range.count {
      guard self[range.lowerBound &+ offset].lowercased == word.byte(offset) else { return false }
    }
    return true
  }

  /// Without the blanks at either end of it.
  func trimmed(_ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, self[start].isBlank { start += 1 }
    while end > start, self[end - 1].isBlank { end -= 1 }
    return start..<end
  }

  /// The elements of a comma-separated list (RFC 9110 section 5.6.1), blanks trimmed, empty ones
  /// left out.
  func eachElement(of list: Range<Int>, _ body: (Range<Int>) -> Void) {
    var start = list.lowerBound
    for index in list.lowerBound...list.upperBound
    where index == list.upperBound || self[index] == .comma {
      let element = trimmed(start..<index)
      if !element.isEmpty { body(element) }
      start = index + 1
    }
  }
}

extension StaticString {
  /// One byte of the text in UTF-8.
  @inline(__always)
  func byte(_ index: Int) -> UInt8 {
    precondition(index >= 0 && index < utf8CodeUnitCount)
    // Sound: the index was just compared with the text's own count.
    return unsafe utf8Start[index]
  }
}
