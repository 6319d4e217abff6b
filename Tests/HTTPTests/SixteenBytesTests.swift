import Testing

@testable import HTTP

@Suite("Sixteen bytes at once")
struct SixteenBytesTests {
  /// Checks a question for every byte in every place, among neighbours that a carry would come from.
  private func check(
    _ first: (SixteenBytes) -> Int?, matches isMatch: (UInt8) -> Bool
  ) {
    for neighbour: UInt8 in [0x00, 0x1F, 0x20, 0x2D, 0x61, 0x7A, 0x7F, 0x80, 0xFF] {
      for byte in UInt8.min...UInt8.max {
        for place in 0..<16 {
          var bytes = SIMD16<UInt8>(repeating: neighbour)
          bytes[place] = byte
          let expected = (0..<16).first { isMatch(bytes[$0]) }
          guard first(SixteenBytes(bytes)) != expected else { continue }
          Issue.record("\(byte) in place \(place) among \(neighbour)")
          return
        }
      }
    }
  }

  @Test("tell what is printable from the rest")
  func printable() {
    check(\.firstNonPrintable) { !(0x20...0x7E).contains($0) }
  }

  @Test("tell letters and hyphens from the rest")
  func lettersAndHyphens() {
    check(\.firstNonNameCharacter) { byte in
      !(0x41...0x5A).contains(byte) && !(0x61...0x7A).contains(byte) && byte != 0x2D
    }
  }

  @Test("tell what hosts are made of from the rest")
  func hostCharacters() {
    check(\.firstNonHostCharacter) { byte in
      !(0x41...0x5A).contains(byte) && !(0x61...0x7A).contains(byte)
        && !(0x30...0x39).contains(byte) && byte != 0x2D && byte != 0x2E
    }
  }

  @Test("tell one byte from the rest")
  func oneByte() {
    for sought: UInt8 in [0x2C, 0x2F, 0x3B, 0x00, 0x80, 0xFF] {
      check({ $0.first(sought) }, matches: { $0 == sought })
    }
  }

  @Test("let nothing pass that may not")
  func soundness() {
    for byte in UInt8.min...UInt8.max {
      let bytes = SixteenBytes(SIMD16(repeating: byte))
      if bytes.firstNonPrintable == nil { #expect(byte.isFieldCharacter) }
      if bytes.firstNonNameCharacter == nil { #expect(byte.isTokenCharacter) }
      if bytes.firstNonHostCharacter == nil { #expect(byte.isHostNameCharacter) }
      if bytes.firstNonPathCharacter == nil { #expect(byte.isPlainPathCharacter) }
    }
  }
}
