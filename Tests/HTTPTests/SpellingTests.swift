import Testing

@testable import HTTP

@Suite("Spelling a word")
struct SpellingTests {
  private func spells(_ word: StaticString, _ bytes: [UInt8], _ range: Range<Int>) -> Bool {
    bytes.span.spells(word, range)
  }

  @Test("is told in either case wherever it stands, and with any byte of it changed is not")
  func everywhere() {
    let words: [StaticString] = [
      "host", "expect", "chunked", "http://", "https://", "connection", "content-length",
      "transfer-encoding",
    ]
    for word in words {
      let small = Array("\(word)".utf8)
      let capital = Array("\(word)".uppercased().utf8)
      for place in 0..<20 {
        let range = place..<place + small.count
        let before = [UInt8](repeating: 0x2A, count: place)
        #expect(spells(word, before + small, range))
        #expect(spells(word, before + capital + [0x3A], range))
        for index in range {
          var other = before + small
          // With and without the bit that tells small letters from capitals.
          for byte in [0x7A, other[index] ^ 0x40] {
            other[index] = byte
            #expect(!spells(word, other, range))
          }
        }
      }
    }
  }
}
