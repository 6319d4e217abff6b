import Testing

/// Made-up histories of a counter that is also set, created and removed.
@Suite("The search for an order of a counter's operations")
struct LinearizationTests {
  private func isPossible(_ operations: CounterOperation...) -> Bool {
    Linearization.check(operations) == .possible
  }

  @Test("finds the order of operations one after another")
  func inTurn() {
    #expect(isPossible())
    #expect(
      isPossible(
        .read(0, 1, nil), .add(1, 2, 3, 1), .set(40, 4, 5, 200), .add(2, 6, 7, 42),
        .remove(8, 9, 42), .read(10, 11, nil), .set(7, 12, 13, 201), .read(14, 15, 7),
        .create(1, 16, 17, 412), .remove(18, 19, 7), .create(1, 20, 21, 201),
        .add(-3, 22, 23, -2)))
  }

  @Test("finds a wrong answer")
  func wrong() {
    #expect(!isPossible(.add(1, 0, 1, 2)))
    #expect(!isPossible(.add(1, 0, 1, 1), .add(1, 2, 3, 1)))
    #expect(!isPossible(.set(5, 0, 1, 200)))
    #expect(!isPossible(.add(1, 0, 1, 1), .set(5, 2, 3, 201)))
    #expect(!isPossible(.create(5, 0, 1, 201), .create(5, 2, 3, 201)))
    #expect(!isPossible(.create(5, 0, 1, 412)))
    #expect(!isPossible(.set(5, 0, 1, 201), .remove(2, 3, 4)))
    #expect(!isPossible(.set(5, 0, 1, 201), .remove(2, 3, 5), .read(4, 5, 5)))
    #expect(!isPossible(CounterOperation(.add(1), 0, 1, .absent)))
    #expect(
      Linearization.check([.add(1, 0, 1, 1), .read(2, 3, 7), .read(4, 5, 1)]) == .impossible(1))
  }

  @Test("finds the order of operations that overlap, and only an order that keeps to time")
  func overlapping() {
    // The set came between the two hits.
    #expect(isPossible(.add(1, 0, 9, 1), .set(40, 0, 9, 200), .add(1, 0, 9, 41), .read(10, 11, 41)))
    #expect(!isPossible(.add(1, 0, 1, 1), .set(40, 2, 3, 200), .add(1, 4, 5, 2)))
    #expect(!isPossible(.add(1, 2, 3, 1), .set(40, 0, 1, 200)))
    // A set that changes nothing at first is needed later.
    #expect(
      isPossible(.set(2, 0, 1, 201), .add(1, 2, 9, 3), .set(2, 4, 5, 200), .remove(6, 7, 2)))
    // A read that began first saw the later write; the next one may not see the earlier one.
    #expect(isPossible(.set(1, 0, 9, 201), .read(1, 2, nil), .read(3, 4, 1)))
    #expect(!isPossible(.set(1, 0, 9, 201), .read(1, 2, 1), .read(3, 4, nil)))
  }

  @Test("carries out what was not answered once, at any time after it began, or never")
  func unanswered() {
    #expect(isPossible(.set(5, 0, 1, 201), .lost(.add(1), 2), .read(3, 4, 5), .read(5, 6, 6)))
    #expect(isPossible(.set(5, 0, 1, 201), .lost(.add(1), 2), .read(3, 4, 5)))
    #expect(!isPossible(.set(5, 0, 1, 201), .lost(.add(1), 2), .read(3, 4, 7)))
    #expect(!isPossible(.set(5, 0, 1, 201), .read(2, 3, 6), .lost(.add(1), 4)))
    #expect(!isPossible(.set(5, 0, 1, 201), .lost(.add(1), 2), .read(3, 4, 6), .read(5, 6, 5)))
    #expect(isPossible(.set(5, 0, 1, 201), .lost(.remove, 2), .add(1, 3, 4, 1)))
    #expect(isPossible(.lost(.set(5), 0), .add(1, 1, 2, 1), .add(1, 3, 4, 6), .read(5, 6, 6)))
    // It was used up before the hit.
    #expect(!isPossible(.lost(.set(5), 0), .add(1, 1, 2, 6), .add(1, 3, 4, 7), .read(5, 6, 6)))
  }

  @Test("takes many operations without an answer into account, and says when they are too many")
  func manyUnanswered() {
    let lost = (0..<12).map { CounterOperation.lost(.add(1 << $0), 0) }
    #expect(Linearization.check(lost + [.read(1, 2, 2_741)]) == .possible)
    #expect(Linearization.check(lost + [.read(1, 2, 4_096)]) == .impossible(12))
    let hits = (0..<60).map { _ in CounterOperation.lost(.add(1), 0) }
    #expect(Linearization.check(hits + [.read(1, 2, 60)]) == .possible)
    #expect(Linearization.check(hits + [.read(1, 2, 61)]) == .impossible(60))
    let tooMany = (0..<65).map { _ in CounterOperation.lost(.add(1), 0) }
    #expect(Linearization.check(tooMany) == .undecided)
  }

  @Test("decides when a crowd is not answered and the next one overlaps")
  func crowds() {
    for _ in 0..<20 {
      let history = [CounterOperation].crowds(lost: 14, answered: 10)
      #expect(Linearization.check(history) == .possible, "\(history)")
      guard let index = history.indices.filter({ history[$0].outcome != nil }).randomElement(),
        let outcome = history[index].outcome, let number = outcome.answer.number
      else { continue }
      var wrong = history
      wrong[index] = CounterOperation(
        action: wrong[index].action, began: wrong[index].began,
        outcome: .init(ended: outcome.ended, answer: CounterAnswer(200, number + 1_000)))
      #expect(Linearization.check(wrong) != .undecided, "\(wrong)")
      #expect(Linearization.check(wrong) != .possible, "\(wrong)")
    }
  }

  @Test("agrees with trying every order, on small histories at random")
  func everyOrder() {
    var possible = 0
    for _ in 0..<2_000 {
      let operations = (0..<5).map { _ in CounterOperation.random() }
      let isPossible = hasOrder(operations, value: nil)
      #expect((Linearization.check(operations) == .possible) == isPossible, "\(operations)")
      possible += isPossible ? 1 : 0
    }
    #expect((100...1_900).contains(possible), "both verdicts are tried")
  }

  /// Whether an order of the operations explains all answers.
  private func hasOrder(_ operations: [CounterOperation], value: Int64?) -> Bool {
    if operations.allSatisfy({ $0.outcome == nil }) { return true }
    let end = operations.compactMap(\.outcome?.ended).min()
    return operations.indices.contains { index in
      let operation = operations[index]
      let (next, answer) = operation.action.carryOut(on: value)
      if let end, operation.began > end { return false }
      if let outcome = operation.outcome, outcome.answer != answer { return false }
      var rest = operations
      rest.remove(at: index)
      return hasOrder(rest, value: next)
    }
  }
}

extension CounterOperation {
  /// One of few actions and answers, so that a history of some has an order now and then.
  fileprivate static func random() -> CounterOperation {
    let actions: [CounterAction] = [.add(1), .add(-1), .read, .set(2), .create(1), .remove]
    let action = actions[.random(in: actions.indices)]
    let began = Double.random(in: 0..<8)
    guard Int.random(in: 0..<4) > 0 else { return .lost(action, began) }
    let value = Bool.random() ? nil : Int64.random(in: 0...2)
    let answer = action.carryOut(on: value).answer
    return CounterOperation(action, began, began + .random(in: 0..<6), answer)
  }
}

extension [CounterOperation] {
  /// What is seen of a counter when a crowd is not answered, half of it is carried out, and another crowd
  /// comes while that goes on.
  fileprivate static func crowds(lost: Int, answered: Int) -> [CounterOperation] {
    let actions = (0..<lost + answered).map { _ in CounterAction.random() }
    let times = actions.indices.map {
      Double.random(in: $0 >= lost || Bool.random() ? 2..<3 : 0..<2)
    }
    var operations = actions.prefix(lost).map { CounterOperation.lost($0, 0) }
    var value: Int64?
    for index in actions.indices.sorted(by: { times[$0] < times[$1] }) {
      if index < lost && Bool.random() { continue }
      let (next, answer) = actions[index].carryOut(on: value)
      value = next
      if index >= lost { operations.append(CounterOperation(actions[index], 1.5, 3, answer)) }
    }
    return operations + [.read(4, 5, value)]
  }
}

extension CounterAction {
  fileprivate static func random() -> CounterAction {
    let number = Int64.random(in: -(1 << 52)...(1 << 52))
    let rare: [CounterAction] = [
      .read, .set(number), .create(number), .remove, .add(1 << 24), .add(-(1 << 43)),
    ]
    return Bool.random() ? .add(1) : rare.randomElement() ?? .read
  }
}
