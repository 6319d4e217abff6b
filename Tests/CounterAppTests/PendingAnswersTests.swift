import HTTP
import Testing

@testable import CounterApp
@testable import Counting

@Suite("The answers that wait for more than a number")
struct PendingAnswersTests {
  private let exchange = Exchange(ticket: 7)

  private func answer(_ keys: [String]? = nil) -> PendingAnswer {
    let content: PendingAnswer.Content =
      if let keys {
        .counters(PendingAnswer.Gathering(keys, isText: false, callback: nil))
      } else {
        .script(callback: "f", isRead: false)
      }
    return PendingAnswer(exchange: exchange, content: content)
  }

  @Test("wait for 8,192 visits at most, several counters for one each")
  func limit() {
    var pending = PendingAnswers()
    let many = Array(repeating: "a", count: 128)
    var indices: [Int?] = []
    for _ in 0..<63 { indices.append(pending.insert(answer(many))) }
    for _ in 0..<127 { indices.append(pending.insert(answer())) }
    #expect(!indices.contains(nil))
    let two = pending.insert(answer(["a", "b"]))
    let last = pending.insert(answer())
    let further = pending.insert(answer())
    #expect(two == nil && last != nil && further == nil)
    let removed = pending.add(.number(1), AnswerTicket(pending: last ?? 0))
    let again = pending.insert(answer())
    #expect(removed != nil && again == last)
  }

  @Test("are complete with the last of their counters, in whatever order these come")
  func gathering() {
    var pending = PendingAnswers()
    let index = pending.insert(answer(["a", "b", "a"])) ?? 0
    let other = pending.insert(answer()) ?? 0
    let third = pending.add(.number(2), AnswerTicket(pending: index, part: 2))
    let second = pending.add(.absent, AnswerTicket(pending: index, part: 1))
    let alone = pending.add(.number(9), AnswerTicket(pending: other))
    let complete = pending.add(.number(1), AnswerTicket(pending: index))
    #expect(third == nil && second == nil && alone != nil)
    guard case .counters(let gathering) = complete?.content else {
      Issue.record("another answer")
      return
    }
    #expect(gathering.problem == nil)
    #expect(gathering.json == #"{"values":{"a":1,"b":null}}"#)
    #expect(gathering.lines == "1\n-\n2\n")
  }

  @Test("tell that a counter could not be read, also when none was asked for")
  func problem() {
    var pending = PendingAnswers()
    let waiting = PendingAnswer.Gathering(["a"], isText: false, callback: nil)
    #expect(waiting.problem == .unavailable)
    let index = pending.insert(answer(["a", "b"])) ?? 0
    let first = pending.add(.notAnInteger, AnswerTicket(pending: index))
    let complete = pending.add(.number(1), AnswerTicket(pending: index, part: 1))
    #expect(first == nil)
    guard case .counters(let gathering) = complete?.content else {
      Issue.record("another answer")
      return
    }
    #expect(gathering.problem == .notAnInteger)
  }
}
