import Testing

@testable import Counting
@testable import HTTPTestSupport
@testable import TestSupport

/// Draws visits of several counters, has a group commit carry them out, and compares the results with
/// those of a model that carries out one visit after another.
///
/// There is no limit of counters in it. All hits of a counter in a batch are one operation, which stands
/// before a removal that arrived between them and made room for the counter.
struct VisitTrial: ~Copyable {
  private var model = CounterModel()
  private var generator: Seeded
  private var expected: [Outcome.Result] = []
  private let names = (0..<5).map { "a/\($0)" }

  init(seed: UInt64) {
    generator = Seeded(seed)
  }

  /// Has as many visits arrive; their tickets are their numbers.
  mutating func visit(_ loop: inout CountingLoop, count: Int) {
    for _ in 0..<count {
      let ticket = UInt128(expected.count)
      let name = names.randomElement(using: &generator) ?? ""
      let number = Int64.random(in: 1...1000, using: &generator)
      switch Int.random(in: 0..<12, using: &generator) {
      case 0: hit(&loop)
      case 1: visit(&loop, name, .read)
      case 2: visit(&loop, name, .set(number))
      case 3: visit(&loop, name, .create(number))
      case 4: visit(&loop, name, .remove)
      case 5: visit(&loop, name, .add(-number))
      case 6, 7:
        let key = "\(Int.random(in: 0..<20, using: &generator))"
        loop.addOnce(ticket, name, number % 2 + 1, key)
        let step = CounterModel.Step.addOnce(number % 2 + 1, record: recordKey(name, key))
        expected.append(Self.result(of: model.carryOut(step, on: counterKey(name))))
      default: visit(&loop, name, .hit)
      }
    }
  }

  /// Has a visit of `/` arrive.
  mutating func hit(_ loop: inout CountingLoop) {
    loop.count(UInt128(expected.count))
    expect(.hit, on: "hits")
  }

  private mutating func visit(_ loop: inout CountingLoop, _ name: String, _ action: Action) {
    loop.visit(UInt128(expected.count), name, action)
    expect(action, on: counterKey(name))
  }

  private mutating func expect(_ action: Action, on key: String) {
    let step: CounterModel.Step
    switch action {
    case .hit: step = .add(1)
    case .read: step = .add(0)
    case .add(let number): step = .add(number)
    case .set(let number): step = .set(number)
    case .create(let number): step = .create(number)
    case .remove: step = .remove
    case .addOnce:
      Issue.record("an idempotency key has a record of its own")
      return
    }
    let result = Self.result(of: model.carryOut(step, on: key))
    // A hit has a number, whether or not it is the first one.
    if action == .hit, case .created(let number) = result {
      expected.append(.number(number))
    } else {
      expected.append(result)
    }
  }

  private static func result(of word: String) -> Outcome.Result {
    let number = Int64(word.drop { !$0.isNumber && $0 != "-" }) ?? 0
    return switch word.first {
    case "+": .created(number)
    case "@": .replayed(number)
    case "=": .exists(number)
    case "#": .tooManyCounters
    case "~": .keyReused
    case "!": .notAnInteger
    case "^": .outOfRange
    case "-" where word.count == 1: .absent
    default: .number(number)
    }
  }

  /// Compares the results so far, and all values in Redis.
  func compare(_ loop: borrowing CountingLoop, _ redis: RedisProcess) throws {
    #expect(loop.outcomes.map(\.ticket) == (0..<UInt128(expected.count)).map(\.self))
    #expect(loop.results == expected)
    for key in names.map(counterKey) + ["hits"] {
      let value = try redis.command("GET", key).text ?? ""
      #expect(value == model.numbers[key].map { "\($0)" } ?? "", "\(key)")
    }
    for (key, count) in model.counts {
      #expect(try redis.command("GET", key) == .text("\(count)"))
    }
    for (key, record) in model.records {
      #expect(try redis.command("GET", key) == .text("\(record.amount) \(record.result)"))
    }
  }
}
