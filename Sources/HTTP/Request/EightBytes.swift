/// Eight bytes that are compared all at once, in the eight lanes of one number.
///
/// A comparison gives a mask: the highest bit of each lane whose byte it holds for, and no other.
/// Bytes of 0x80 and more are never in a range.
struct EightBytes {
  /// The bytes, the first of them in the lowest lane.
  let lanes: UInt64

  /// The same byte in every lane.
  @inline(__always)
  private static func each(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

  /// The lanes whose bytes are from `first` to `last`, both below 0x80.
  ///
  /// Without their highest bits, neither addition carries from one lane into the next.
  @inline(__always)
  func mask(_ first: UInt8, to last: UInt8) -> UInt64 {
    let low = lanes & Self.each(0x7F)
    let notBelow = low &+ Self.each(0x80 &- first)
    let above = low &+ Self.each(0x7F &- last)
    return notBelow & ~above & ~lanes & Self.each(0x80)
  }

  /// The lanes that hold one byte, below 0x80: those whose difference from it no addition of 0x7F
  /// brings to 0x80.
  @inline(__always)
  func mask(_ byte: UInt8) -> UInt64 {
    let difference = (lanes ^ Self.each(byte)) & Self.each(0x7F)
    return ~(difference &+ Self.each(0x7F)) & ~lanes & Self.each(0x80)
  }

  /// The lanes that hold ASCII letters, of either case.
  @inline(__always)
  private var letters: UInt64 { EightBytes(lanes: lanes | Self.each(0x20)).mask(0x61, to: 0x7A) }

  /// The lanes that hold something else than letters and hyphens, of which nearly all field names are
  /// made.
  @inline(__always)
  var butLettersAndHyphens: UInt64 { ~(letters | mask(0x2D)) & Self.each(0x80) }

  /// The lanes that hold something else than letters, digits, hyphens and points, of which nearly all
  /// names of hosts are made.
  @inline(__always)
  var butHostNameCharacters: UInt64 {
    ~(letters | mask(0x30, to: 0x39) | mask(0x2D, to: 0x2E)) & Self.each(0x80)
  }

  /// The lanes that hold ASCII control characters: those that no addition of 0x60 brings to 0x80, and
  /// 0x7F, which an addition of 1 does.
  @inline(__always)
  var controlCharacters: UInt64 {
    let low = lanes & Self.each(0x7F)
    return (~(low &+ Self.each(0x60)) | (low &+ Self.each(1))) & ~lanes & Self.each(0x80)
  }
}
