import BasicContainers
import HTTP
import System
import Testing

@testable import CounterApp

@Suite("The text of a visit")
struct VisitTextTests {
  private func texts(_ numbers: [Int64]) -> [String] {
    var text = VisitText()
    return numbers.map { number in
      text.setNumber(number)
      var bytes = UniqueArray<UInt8>()
      bytes.append(addingCount: text.count) { text.write(to: &$0) }
      return String(decoding: bytes.span.indices.map { bytes[$0] }, as: UTF8.self)
    }
  }

  @Test(
    "has the number of the visit, whichever came before",
    arguments: [
      Array(1...1200), [-2, -1, 0, 1, 2], [9, 10, 11, 7, 8, 8, 9, 100, 99, 100, 101],
      [.min, .min + 1, .max - 1, .max, .min, 0], [-9, -8, -10, -11, 998, 999, 1000],
    ])
  func numbers(_ numbers: [Int64]) {
    #expect(texts(numbers) == numbers.map { "Hello World! I have been seen \($0) times.\n" })
  }
}
