import BasicContainers
import HTTP
import System
import Testing

@testable import CounterApp

@Suite("The text with a number")
struct NumberTextTests {
  private func texts(_ numbers: [Int64], _ before: StaticString, _ after: StaticString) -> [String]
  {
    var text = NumberText(before, after)
    return numbers.map { number in
      text.setNumber(number)
      let bytes = text.span.indices.map { text.span[$0] }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  @Test(
    "has the number of the response, whichever came before",
    arguments: [
      Array(1...1200), [-2, -1, 0, 1, 2], [9, 10, 11, 7, 8, 8, 9, 100, 99, 100, 101],
      [.min, .min + 1, .max - 1, .max, .min, 0], [-9, -8, -10, -11, 998, 999, 1000],
    ])
  func numbers(_ numbers: [Int64]) {
    #expect(texts(numbers, "seen ", " times.\n") == numbers.map { "seen \($0) times.\n" })
    #expect(texts(numbers, "", "\n") == numbers.map { "\($0)\n" })
  }
}
