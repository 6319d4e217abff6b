/// What the grammar of HTTP says of single bytes, and searches that look at sixteen at a time.
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
  /// A byte that the caller has just compared the count with; the searches below look at every byte
  /// of every request, and should not compare twice.
  @inline(__always)
  private func compared(_ index: Int) -> UInt8 {
    assert(index >= 0 && index < count)
    // Sound: the callers, all in this file, go from an index that lies within up to the count.
    return unsafe self[unchecked: index]
  }

  /// The eight bytes from an index on, the first of them lowest.
  ///
  /// - Precondition: they lie within the span; the callers, all in this file, have just compared.
  @inline(__always)
  private func eightBytes(at index: Int) -> UInt64 {
    assert(index >= 0 && index + 8 <= count)
    // Sound: any eight bytes are a UInt64.
    let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
    return UInt64(littleEndian: word)
  }

  /// The sixteen bytes from an index on.
  ///
  /// - Precondition: they lie within the span; the callers, all in this file, have just compared.
  @inline(__always)
  private func sixteenBytes(at index: Int) -> SixteenBytes {
    assert(index >= 0 && index + 16 <= count)
    // Sound: any sixteen bytes are a vector of them.
    return SixteenBytes(
      unsafe bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: index, as: SIMD16<UInt8>.self))
  }

  /// The first index from `start` on whose byte is not of a kind, or `count`.
  ///
  /// - Parameters:
  ///   - unusual: the bytes that may not be of the kind.
  ///   - isOfKind: decides about an unusual byte.
  @inline(__always)
  private func end(
    from start: Int, unusual: (SixteenBytes) -> SixteenBytes.Marks, _ isOfKind: (UInt8) -> Bool
  ) -> Int {
    precondition(start >= 0)
    var index = start
    while index &+ 16 <= count {
      let marks = unusual(sixteenBytes(at: index))
      if marks.isEmpty {
        index &+= 16
      } else {
        index &+= marks.lowest
        guard isOfKind(compared(index)) else { return index }
        index &+= 1
      }
    }
    while index < count, isOfKind(compared(index)) { index &+= 1 }
    return index
  }

  /// The first index from `start` on whose byte no field value can hold, or `count`.
  @inline(__always)
  func endOfFieldValue(from start: Int) -> Int {
    end(from: start, unusual: { $0.butPrintable }, { $0.isFieldCharacter })
  }

  /// The first index from `start` on whose byte is no token character, or `count`.
  @inline(__always)
  func endOfToken(from start: Int) -> Int {
    end(from: start, unusual: { $0.butLettersAndHyphens }, { $0.isTokenCharacter })
  }

  /// Whether CR LF stands at an index; false also when it is not all there.
  @inline(__always)
  func isEndOfLine(at index: Int) -> Bool {
    index >= 0 && index &+ 2 <= count && compared(index) == .carriageReturn
      && compared(index &+ 1) == .lineFeed
  }

  /// Whether a range is a host with an optional port (RFC 9110 section 7.2).
  @inline(never)
  func isHost(_ range: Range<Int>) -> Bool {
    precondition(range.upperBound <= count)
    var index = end(
      from: range.lowerBound, unusual: { $0.butHostNameCharacters }, { $0.isHostNameCharacter })
    guard index < range.upperBound else { return true }
    if compared(index) != .colon {
      index = endOfUnusualHost(range)
      guard index < range.upperBound else { return true }
      guard self[index] == .colon else { return false }
    }
    index &+= 1
    while index < range.upperBound, compared(index) &- 0x30 < 10 { index &+= 1 }
    return index == range.upperBound
  }

  /// Where a host ends that is an address in brackets, or a name in which something is
  /// percent-encoded. Of an address, its characters are looked at, not its arithmetic.
  @inline(never)
  private func endOfUnusualHost(_ range: Range<Int>) -> Int {
    var index = range.lowerBound
    if self[index] == 0x5B {
      repeat { index += 1 } while index < range.upperBound && self[index].isAddressCharacter
      let isWhole = index < range.upperBound && self[index] == 0x5D && index > range.lowerBound + 2
      return isWhole ? index + 1 : range.lowerBound
    }
    while index < range.upperBound {
      if self[index] == .percent {
        guard index + 2 < range.upperBound, self[index + 1].hexadecimalDigit != nil,
          self[index + 2].hexadecimalDigit != nil
        else { return index }
        index += 3
      } else {
        guard self[index].isHostNameCharacter else { return index }
        index += 1
      }
    }
    return index
  }

  /// Whether the bytes of `range` spell `word`, in whatever case.
  ///
  /// It compares eight bytes at once, from the last ones on, and with them some before the range
  /// where the word is shorter than that.
  ///
  /// - Parameter word: small letters, and characters that a control character with the bit 0x20
  ///   added is taken for as well: the bytes must be known to hold none.
  /// - Precondition: the range ends eight bytes or more after the start of the span, as everything
  ///   behind a method does.
  @inline(__always)
  func spells(_ word: StaticString, _ range: Range<Int>) -> Bool {
    precondition(range.lowerBound >= 0 && range.upperBound >= 8 && range.upperBound <= count)
    let length = word.utf8CodeUnitCount
    guard range.upperBound &- range.lowerBound == length else { return false }
    var end = length
    while end > 0 {
      // Of a word that has eight bytes, some are compared twice rather than any before it.
      end = max(end, min(8, length))
      let letters = eightBytes(at: range.lowerBound &+ end &- 8) | 0x2020_2020_2020_2020
      let (expected, ignored) = word.eightBytes(before: end)
      guard (letters ^ expected) &>> ignored == 0 else { return false }
      end &-= 8
    }
    return true
  }

  /// How far a request target goes from `start` on: to the first byte that cannot stand in it, and to
  /// the query within it; and whether something in its path is percent-encoded.
  func targetExtent(from start: Int) -> (end: Int, endOfPath: Int, isEncoded: Bool) {
    precondition(start >= 0)
    var index = start
    var isEncoded = false
    while index < count, compared(index).isTargetCharacter, compared(index) != .question {
      if compared(index) == .percent { isEncoded = true }
      index &+= 1
    }
    let endOfPath = index
    while index < count, compared(index).isTargetCharacter { index &+= 1 }
    return (index, endOfPath, isEncoded)
  }

  /// Whether the bytes at `start` are `text`, exactly. It is false when fewer than eight bytes are
  /// there, because it compares eight at once and leaves out what is too many.
  ///
  /// - Parameter text: at most eight bytes.
  @inline(__always)
  func starts(with text: StaticString, at start: Int) -> Bool {
    guard start >= 0, start &+ 8 <= count else { return false }
    let length = text.utf8CodeUnitCount
    var expected: UInt64 = 0
    for index in 0..<length { expected |= UInt64(text.byte(index)) << UInt64(index &* 8) }
    let ignored = UInt64(64 &- length &* 8)
    return (eightBytes(at: start) ^ expected) << ignored == 0
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

  /// The eight bytes before an index as a number, the first of them lowest, and how many of its low
  /// bits stand for bytes before the text.
  @inline(__always)
  fileprivate func eightBytes(before end: Int) -> (UInt64, ignored: UInt64) {
    var number: UInt64 = 0
    for place in 0..<8 where end &- 8 &+ place >= 0 {
      number |= UInt64(byte(end &- 8 &+ place)) << UInt64(place &* 8)
    }
    return (number, UInt64(max(8 &- end, 0) &* 8))
  }
}
