import BasicContainers
import Testing

@testable import Counting

@Suite("The outcome of an operation")
struct OperationOutcomeTests {
  private func word(_ text: String) -> String? {
    OperationOutcome(word: Substring(text)).map { "\($0.kind) \($0.number)" }
  }

  private func words(_ reply: String, count: Int) -> [String]? {
    guard let outcomes = OperationOutcome.parse(reply, count: count) else { return nil }
    var words: [String] = []
    for index in 0..<outcomes.count {
      words.append("\(outcomes[index].kind) \(outcomes[index].number)")
    }
    return words
  }

  @Test(
    "is read from each word that the script writes",
    arguments: [
      ("0", "number 0"), ("5", "number 5"), ("-5", "number -5"),
      ("\(Int64.max)", "number \(Int64.max)"), ("\(Int64.min)", "number \(Int64.min)"),
      ("+5", "created 5"), ("+-5", "created -5"), ("+0", "created 0"),
      ("+\(Int64.min)", "created \(Int64.min)"), ("@5", "replayed 5"), ("@-5", "replayed -5"),
      ("@\(Int64.min)", "replayed \(Int64.min)"), ("=5", "exists 5"), ("=-5", "exists -5"),
      ("=\(Int64.max)", "exists \(Int64.max)"), ("^\(Int64.max)", "outOfRange \(Int64.max)"),
      ("^\(Int64.min)", "outOfRange \(Int64.min)"), ("-", "absent 0"), ("#", "tooManyCounters 0"),
      ("!", "notAnInteger 0"), ("~", "keyReused 0"),
    ])
  func words(_ text: String, _ expected: String) {
    #expect(word(text) == expected)
    #expect(words(text, count: 1) == [expected], "as the only outcome of a batch")
    #expect(words("1 \(text) 2", count: 3) == ["number 1", expected, "number 2"])
  }

  static let malformedWords = [
    "", " ", "5 ", " 5", "+", "@", "=", "^", "++5", "+@5", "@+5", "=+5", "^+5", "+ 5", "5x", "--5",
    "#1",
    "!!", "~5", "- ", "-x", "x", "?", "5.0", "1e3", "\u{0}", "\u{0}5", " \u{301}", "٥",
    "9223372036854775808", "-9223372036854775809", "+9223372036854775808", "\n5", "5\n",
  ]

  @Test("is not read from any other word", arguments: malformedWords)
  func malformed(_ text: String) {
    #expect(word(text) == nil)
    #expect(words(text, count: 1) == nil)
    #expect(words("1 \(text) 3", count: 3) == nil)
  }

  @Test(
    "is one of as many as the batch has operations",
    arguments: [("1 +2 -", 3), ("! ! ! !", 4), ("7", 1), ("+7 @8", 2)])
  func count(_ text: String, _ count: Int) {
    for other in 0...5 {
      #expect((words(text, count: other) != nil) == (other == count))
    }
    for changed in [" \(text)", "\(text) ", text.replacing(" ", with: "  ")] where changed != text {
      #expect(words(changed, count: count) == nil, "\(changed)")
    }
  }

  @Test("keeps a created counter apart from its number, which Int64 would read as well")
  func plus() {
    #expect(words("5 +5", count: 2) == ["number 5", "created 5"])
    #expect(words("+5", count: 1) == ["created 5"])
  }
}
