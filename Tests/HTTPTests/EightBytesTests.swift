import Testing

@testable import HTTP

@Suite("Eight bytes at once")
struct EightBytesTests {
  /// Checks a mask for every byte in every lane, among neighbours that a wrong carry would come from.
  private func check(_ mask: (EightBytes) -> UInt64, _ isOfKind: (UInt8) -> Bool) {
    for neighbour: UInt8 in [0x00, 0x1F, 0x20, 0x2D, 0x61, 0x7A, 0x7F, 0x80, 0xFF] {
      for byte in UInt8.min...UInt8.max {
        for lane in 0..<8 {
          var bytes = [UInt8](repeating: neighbour, count: 8)
          bytes[lane] = byte
          let lanes = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
          let expected = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | (isOfKind($1) ? 0x80 : 0) }
          guard mask(EightBytes(lanes: lanes)) != expected else { continue }
          Issue.record("\(byte) in lane \(lane) among \(neighbour)")
          return
        }
      }
    }
  }

  @Test("tell control characters from the rest")
  func controlCharacters() {
    check(\.controlCharacters) { $0 < 0x20 || $0 == 0x7F }
  }

  @Test("tell letters and hyphens from the rest")
  func lettersAndHyphens() {
    check(\.butLettersAndHyphens) { byte in
      !(0x41...0x5A).contains(byte) && !(0x61...0x7A).contains(byte) && byte != 0x2D
    }
  }

  @Test("tell what hosts are made of from the rest, and let nothing pass that is none of it")
  func hostCharacters() {
    check(\.butHostNameCharacters) { byte in
      !(0x41...0x5A).contains(byte) && !(0x61...0x7A).contains(byte)
        && !(0x30...0x39).contains(byte) && byte != 0x2D && byte != 0x2E
    }
    for byte in UInt8.min...UInt8.max {
      let lanes = UInt64(byte) &* 0x0101_0101_0101_0101
      if EightBytes(lanes: lanes).butHostNameCharacters == 0 { #expect(byte.isHostNameCharacter) }
      if EightBytes(lanes: lanes).butLettersAndHyphens == 0 { #expect(byte.isTokenCharacter) }
    }
  }

  @Test("agree with ranges and single bytes")
  func ranges() {
    check({ $0.mask(0x30, to: 0x39) }) { (0x30...0x39).contains($0) }
    check({ $0.mask(0x2D) }) { $0 == 0x2D }
    check({ $0.mask(0x00) }) { $0 == 0x00 }
    check({ $0.mask(0x7F) }) { $0 == 0x7F }
  }
}
