import Glibc

/// Searches in the bytes of a request.
extension Span<UInt8> {
  /// The byte at an index that the caller has compared with the count. These searches look at every
  /// byte of every request, and would compare twice otherwise.
  @inline(__always)
  private func uncheckedByte(_ index: Int) -> UInt8 {
    assert(index >= 0 && index < count)
    // Sound: the callers, all in this file, go from an index that lies within up to the count.
    return unsafe self[unchecked: index]
  }

  /// The sixteen bytes from an index on.
  ///
  /// - Precondition: they lie within the span; the callers, all in this file, have compared.
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
  ///   - usualEnd: a byte that is not of the kind, and that nearly always is the one that is found.
  ///   - firstSuspect: the place of the first byte that may not be of the kind.
  ///   - isOfKind: decides about it.
  @inline(__always)
  private func end(
    from start: Int, usualEnd: UInt8, firstSuspect: (SixteenBytes) -> Int?,
    _ isOfKind: (UInt8) -> Bool
  ) -> Int {
    precondition(start >= 0)
    var index = start
    while index &+ 16 <= count {
      guard let place = firstSuspect(sixteenBytes(at: index)) else {
        index &+= 16
        continue
      }
      index &+= place
      let byte = uncheckedByte(index)
      guard byte != usualEnd, isOfKind(byte) else { return index }
      index &+= 1
    }
    while index < count, isOfKind(uncheckedByte(index)) { index &+= 1 }
    return index
  }

  /// The first index from `start` on whose byte no field value can hold, or `count`.
  @inline(__always)
  func endOfFieldValue(from start: Int) -> Int {
    end(
      from: start, usualEnd: .carriageReturn, firstSuspect: { $0.firstNonPrintable },
      { $0.isFieldCharacter })
  }

  /// The first index from `start` on whose byte is no token character, or `count`.
  @inline(__always)
  func endOfToken(from start: Int) -> Int {
    end(
      from: start, usualEnd: .colon, firstSuspect: { $0.firstNonNameCharacter },
      { $0.isTokenCharacter })
  }

  /// The first index from `start` on whose byte the name of a host cannot hold as it is, or `count`.
  @inline(__always)
  func endOfHostName(from start: Int) -> Int {
    end(
      from: start, usualEnd: .colon, firstSuspect: { $0.firstNonHostCharacter },
      { $0.isHostNameCharacter })
  }

  /// The first index in a range whose byte is this one, or the end of the range.
  @inline(__always)
  func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    var index = range.lowerBound
    while index < range.upperBound, index &+ 16 <= count {
      if let place = sixteenBytes(at: index).first(byte) {
        return min(index &+ place, range.upperBound)
      }
      index &+= 16
    }
    while index < range.upperBound, uncheckedByte(index) != byte { index &+= 1 }
    return min(index, range.upperBound)
  }

  /// How far a request target goes from `start` on: to the first byte that cannot stand in it, and to
  /// the query within it; and whether its path is plain.
  @inline(__always)
  func targetExtent(from start: Int) -> (end: Int, endOfPath: Int, isPlain: Bool) {
    var isPlain = true
    let endOfPath = end(
      from: start, usualEnd: .space, firstSuspect: { $0.firstNonPathCharacter },
      { byte in
        guard byte.isTargetCharacter, byte != .question else { return false }
        if !byte.isPlainPathCharacter { isPlain = false }
        return true
      })
    var index = endOfPath
    while index < count, uncheckedByte(index).isTargetCharacter { index &+= 1 }
    return (index, endOfPath, isPlain)
  }

  /// Whether CR LF stands at an index; false also when it is not all there.
  @inline(__always)
  func isEndOfLine(at index: Int) -> Bool {
    index >= 0 && index &+ 2 <= count && uncheckedByte(index) == .carriageReturn
      && uncheckedByte(index &+ 1) == .lineFeed
  }

  /// Whether the bytes at an index are a text, in the same case; false also when they are not all
  /// there.
  @inline(__always)
  func starts(with text: StaticString, at start: Int) -> Bool {
    starts(with: text, text.utf8CodeUnitCount, at: start)
  }

  /// The same with the first bytes of a text, as many as `length` says.
  @inline(__always)
  func starts(with text: StaticString, _ length: Int, at start: Int) -> Bool {
    precondition(length <= text.utf8CodeUnitCount)
    guard start >= 0, start &+ length <= count else { return false }
    // Sound: that many bytes were just found to lie within the span. Where the length is a constant, the
    // comparison is one of words.
    return unsafe withUnsafeBufferPointer { bytes in
      guard let first = bytes.baseAddress else { return length == 0 }
      return unsafe memcmp(first + start, text.utf8Start, length) == 0
    }
  }

  /// Whether the bytes of a range spell a word, in either case.
  ///
  /// - Parameter word: in small letters.
  @inline(__always)
  package func spells(_ word: StaticString, _ range: Range<Int>) -> Bool {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    let length = word.utf8CodeUnitCount
    guard range.upperBound &- range.lowerBound == length else { return false }
    var place = 0
    while place < length {
      // Sound: the place lies within the word.
      let character = unsafe word.utf8Start[place]
      // One bit tells a capital from a small letter.
      let ignoredBit: UInt8 = character.isSmallLetter ? 0x20 : 0
      let difference = uncheckedByte(range.lowerBound &+ place) ^ character
      guard difference | ignoredBit == ignoredBit else { return false }
      place &+= 1
    }
    return true
  }

  /// Without the blanks at either end of it.
  @inline(__always)
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
