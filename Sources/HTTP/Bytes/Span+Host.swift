/// The host of a request.
extension Span<UInt8> {
  /// Whether a range is a host with an optional port (RFC 9110 section 7.2).
  @inline(never)
  func isHost(_ range: Range<Int>) -> Bool {
    var index = min(endOfHostName(from: range.lowerBound), range.upperBound)
    if index < range.upperBound, self[index] != .colon { index = endOfUnusualHost(range) }
    guard index < range.upperBound else { return true }
    guard self[index] == .colon else { return false }
    index &+= 1
    while index < range.upperBound, self[index] &- 0x30 < 10 { index &+= 1 }
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
        guard percentDecodedByte(at: index, before: range.upperBound) != nil else { return index }
        index += 3
      } else {
        guard self[index].isHostNameCharacter else { return index }
        index += 1
      }
    }
    return index
  }

  /// The byte that the percent sign at an index and two digits stand for (RFC 3986 section 2.1); nil
  /// without two digits before the end.
  package func percentDecodedByte(at index: Int, before end: Int) -> UInt8? {
    guard index + 2 < end, let high = self[index + 1].hexadecimalDigit,
      let low = self[index + 2].hexadecimalDigit
    else { return nil }
    return UInt8(high << 4 | low)
  }
}
