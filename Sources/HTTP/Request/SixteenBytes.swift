/// Sixteen bytes that are looked at all at once, a vector register's worth.
///
/// A question is answered by marks: the highest bit of each byte that it is true of. Everything is
/// wrapping arithmetic, which never carries from one byte into the next; the comparisons of SIMD
/// vectors are compiled byte by byte (Swift 6.3), so there are none.
struct SixteenBytes: BitwiseCopyable {
  private let bytes: SIMD16<UInt8>

  init(_ bytes: SIMD16<UInt8>) {
    self.bytes = bytes
  }

  /// The bytes that are true of a question.
  struct Marks: BitwiseCopyable {
    private let first: UInt64
    private let second: UInt64

    @inline(__always)
    fileprivate init(_ bytes: SIMD16<UInt8>) {
      // Sound: any sixteen bytes are two numbers. Only the highest bits count.
      let halves = unsafe unsafeBitCast(bytes & .init(repeating: 0x80), to: SIMD2<UInt64>.self)
      first = UInt64(littleEndian: halves[0])
      second = UInt64(littleEndian: halves[1])
    }

    /// Whether there is none.
    @inline(__always)
    var isEmpty: Bool { first | second == 0 }

    /// The place of the first of them; 16 when there is none.
    @inline(__always)
    var lowest: Int {
      first != 0
        ? first.trailingZeroBitCount &>> 3 : 8 &+ second.trailingZeroBitCount &>> 3
    }
  }

  /// The bytes outside of a range.
  @inline(__always)
  private func outside(_ first: UInt8, to last: UInt8) -> SIMD16<UInt8> {
    let distance = bytes &- .init(repeating: first)
    // From 0 to `last - first` neither the distance nor the sum reaches 0x80.
    return distance | (distance &+ .init(repeating: 0x7F &- (last &- first)))
  }

  /// The bytes that are not this one.
  @inline(__always)
  private func different(from byte: UInt8) -> SIMD16<UInt8> {
    let difference = bytes ^ .init(repeating: byte)
    return difference | (SIMD16() &- difference)
  }

  /// The bytes that are no ASCII letters, of either case.
  @inline(__always)
  private var butLetters: SIMD16<UInt8> {
    SixteenBytes(bytes | .init(repeating: 0x20)).outside(0x61, to: 0x7A)
  }

  /// The bytes that are something else than letters and hyphens, of which nearly all field names are
  /// made.
  @inline(__always)
  var butLettersAndHyphens: Marks { Marks(butLetters & different(from: 0x2D)) }

  /// The bytes that are something else than letters, digits, hyphens and points, of which nearly all
  /// names of hosts are made.
  @inline(__always)
  var butHostNameCharacters: Marks {
    Marks(butLetters & outside(0x30, to: 0x39) & outside(0x2D, to: 0x2E))
  }

  /// The bytes that are no visible ASCII characters or spaces, of which nearly all field values are
  /// made.
  @inline(__always)
  var butPrintable: Marks { Marks(outside(0x20, to: 0x7E)) }
}
