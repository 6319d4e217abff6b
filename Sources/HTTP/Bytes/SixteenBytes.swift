/// Sixteen bytes that are compared at once, in a vector register.
///
/// A comparison sets the highest bit of each byte that matches. All of it is
/// wrapping arithmetic within the bytes; the comparisons of SIMD vectors are compiled byte by byte
/// (Swift 6.3). It saves 840 instructions on the header of a browser.
struct SixteenBytes: BitwiseCopyable {
  private let bytes: SIMD16<UInt8>

  init(_ bytes: SIMD16<UInt8>) {
    self.bytes = bytes
  }

  /// The place of the first byte whose highest bit is set; nil when there is none.
  @inline(__always)
  private static func first(_ matches: SIMD16<UInt8>) -> Int? {
    // Sound: any sixteen bytes are two numbers.
    let halves = unsafe unsafeBitCast(matches & .init(repeating: 0x80), to: SIMD2<UInt64>.self)
    let low = UInt64(littleEndian: halves[0])
    if low != 0 { return low.trailingZeroBitCount &>> 3 }
    let high = UInt64(littleEndian: halves[1])
    return high != 0 ? 8 &+ high.trailingZeroBitCount &>> 3 : nil
  }

  /// All but the bytes of a range, which ends below 0x80.
  @inline(__always)
  private func outside(_ first: UInt8, to last: UInt8) -> SIMD16<UInt8> {
    let distance = bytes &- .init(repeating: first)
    // From 0 to `last - first` neither the distance nor the sum reaches 0x80.
    return distance | (distance &+ .init(repeating: 0x7F &- (last &- first)))
  }

  /// All but one byte.
  @inline(__always)
  private func different(from byte: UInt8) -> SIMD16<UInt8> {
    let difference = bytes ^ .init(repeating: byte)
    return difference | (SIMD16() &- difference)
  }

  /// All but ASCII letters of either case.
  @inline(__always)
  private var nonLetters: SIMD16<UInt8> {
    SixteenBytes(bytes | .init(repeating: 0x20)).outside(0x61, to: 0x7A)
  }

  /// The place of the first byte that is this one.
  @inline(__always)
  func first(_ byte: UInt8) -> Int? { Self.first(~different(from: byte)) }

  /// The place of the first byte but letters and hyphens, of which nearly all field names are made.
  @inline(__always)
  var firstNonNameCharacter: Int? { Self.first(nonLetters & different(from: 0x2D)) }

  /// The place of the first byte but letters, digits, hyphens and points, of which nearly all names of
  /// hosts are made.
  @inline(__always)
  var firstNonHostCharacter: Int? {
    Self.first(nonLetters & outside(0x30, to: 0x39) & outside(0x2D, to: 0x2E))
  }

  /// The place of the first byte but letters, digits, slashes, hyphens and points, of which nearly all
  /// paths are made.
  @inline(__always)
  var firstNonPathCharacter: Int? { Self.first(nonLetters & outside(0x2D, to: 0x39)) }

  /// The place of the first byte but visible ASCII characters and spaces, of which nearly all field
  /// values are made.
  @inline(__always)
  var firstNonPrintable: Int? { Self.first(outside(0x20, to: 0x7E)) }
}
