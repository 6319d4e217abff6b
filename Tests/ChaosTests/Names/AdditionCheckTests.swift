import Testing

/// Made-up histories of a counter to which only the known amounts are added.
@Suite("The check of a counter that is only added to")
struct AdditionCheckTests {
  // The amounts besides 1.
  private let much = AdditionCheck.amounts[1]
  private let less = AdditionCheck.amounts[2]

  private func check(_ operations: CounterOperation...) -> AdditionCheck {
    AdditionCheck(operations)
  }

  @Test("finds nothing in a history that is right")
  func right() {
    #expect(check().isRight)
    #expect(check(.add(1, 0, 1, 1), .add(1, 2, 3, 2), .read(4, 5, 2)).isRight)
    // Operations that overlap may get their numbers in any order.
    #expect(check(.add(1, 0, 5, 3), .add(1, 1, 4, 1), .add(1, 2, 3, 2), .read(6, 7, 3)).isRight)
    #expect(check(.read(0, 1, nil), .add(1, 0, 1, 1), .read(0, 1, nil), .read(2, 3, 1)).isRight)
  }

  @Test("tells the amounts apart, also negative ones")
  func amounts() {
    #expect(
      check(
        .add(much, 0, 1, much), .add(1, 2, 3, much + 1), .add(less, 4, 5, much + 1 + less),
        .add(1, 6, 7, much + 2 + less), .add(less, 8, 9, much + 2 + 2 * less),
        .read(10, 11, much + 2 + 2 * less)
      ).isRight)
    #expect(check(.add(less, 0, 1, less), .add(1, 2, 3, less + 1), .read(4, 5, less + 1)).isRight)
  }

  @Test("finds a number that two additions got, also of different amounts")
  func doubled() {
    #expect(check(.add(1, 0, 9, 1), .add(1, 0, 9, 1), .read(9, 9, 1)).doubled == 1)
    let other = check(
      .add(much, 0, 9, much + 1), .add(1, 0, 9, much + 1), .read(9, 9, much + 1))
    #expect(other.doubled == 1)
  }

  @Test("finds additions that nobody asked for, also when no larger number was answered")
  func skipped() {
    #expect(check(.add(1, 0, 1, 1), .add(1, 2, 3, 3), .read(4, 5, 3)).skipped == 1)
    #expect(check(.add(1, 0, 1, 1), .read(4, 5, much + 3)).skipped == 3)
    #expect(check(.read(4, 5, 7)).skipped == 7)
  }

  @Test("accounts for them by operations without an answer, each once, of the same amount")
  func accounted() {
    #expect(check(.add(1, 0, 1, 1), .lost(.add(1), 0), .add(1, 2, 3, 3), .read(4, 5, 3)).isRight)
    #expect(check(.add(1, 0, 1, 1), .lost(.add(1), 0), .read(4, 5, 1)).isRight)
    let once = check(.lost(.add(1), 0), .add(1, 2, 3, 2), .read(4, 5, 3))
    #expect(once.skipped == 1)
    let other = check(.lost(.add(much), 0), .add(1, 2, 3, 2), .read(4, 5, 2))
    #expect(other.skipped == 1)
    #expect(check(.lost(.add(less), 0), .add(1, 2, 3, less + 1), .read(4, 5, less + 1)).isRight)
    // A read that was not answered accounts for nothing.
    #expect(check(.lost(.read, 0), .add(1, 2, 3, 2), .read(4, 5, 2)).skipped == 1)
  }

  @Test("does not account for them by one that began when a larger number, or a read, was answered")
  func accountedTooLate() {
    #expect(check(.add(1, 0, 1, 2), .lost(.add(1), 2), .read(4, 5, 2)).skipped == 1)
    #expect(check(.add(1, 0, 1, 2), .lost(.add(1), 0.5), .read(4, 5, 2)).isRight)
    #expect(check(.read(0, 1, 1), .lost(.add(1), 2), .read(4, 5, 1)).skipped == 1)
  }

  @Test("finds an addition or a read that is older than what was answered before it began")
  func outOfOrder() {
    #expect(check(.add(1, 0, 1, 2), .add(1, 2, 3, 1), .read(4, 5, 2)).outOfOrder == 1)
    #expect(check(.add(1, 0, 1, 1), .read(2, 3, nil), .read(4, 5, 1)).outOfOrder == 1)
    #expect(
      check(.add(1, 0, 9, 1), .read(2, 3, 1), .read(4, 5, nil), .read(9, 9, 1)).outOfOrder == 1)
    // The read was answered before the addition began.
    #expect(check(.read(0, 1, 1), .add(1, 2, 3, 1), .read(4, 5, 1)).outOfOrder == 1)
    // A negative amount has a smaller number and comes later all the same.
    #expect(
      check(.add(less, 0, 1, less), .add(much, 2, 3, less + much), .read(4, 5, less + much)).isRight
    )
    let swapped = check(
      .add(less, 0, 1, less + much), .add(much, 2, 3, much), .read(4, 5, less + much))
    #expect(swapped.outOfOrder == 1)
  }

  @Test("finds an answered addition that is not in the number in the end")
  func forgotten() {
    #expect(check(.add(1, 0, 1, 1), .add(1, 2, 3, 2), .read(4, 5, 1)).outOfOrder == 1)
    #expect(check(.add(1, 0, 1, 1), .read(4, 5, nil)).outOfOrder == 1)
  }

  @Test("finds numbers that cannot follow each other, and answers that are no numbers")
  func wrong() {
    // Not the number of an addition of this amount.
    #expect(check(.add(much, 0, 9, 1), .read(9, 9, 1)).wrong == 1)
    // A counter of other additions.
    #expect(check(.add(1, 0, 9, 1), .read(0, 9, much), .read(9, 9, much + 1)).wrong == 1)
    let absent = CounterOperation(.add(1), 0, 1, .absent)
    #expect(check(absent, .read(4, 5, nil)).wrong == 1)
  }

  @Test("agrees with the search for an order, on small histories at random")
  func anyOrder() {
    var right = 0
    for _ in 0..<2_000 {
      var operations = CounterOperation.randomAdditions()
      if Bool.random() { operations.confuse() }
      let isRight = AdditionCheck(operations).isRight
      #expect((Linearization.check(operations) == .possible) == isRight, "\(operations)")
      right += isRight ? 1 : 0
    }
    #expect((500...1_900).contains(right), "both verdicts are tried")
  }
}

extension CounterOperation {
  /// A history that is right.
  fileprivate static func randomAdditions() -> [CounterOperation] {
    var value: Int64?
    return (0..<8).map { index in
      let amount = AdditionCheck.amounts[[0, 0, 1, 2].randomElement() ?? 0]
      let action = Int.random(in: 0..<4) > 0 ? CounterAction.add(amount) : .read
      let began = Double(index) - .random(in: 0..<3)
      let isAnswered = Int.random(in: 0..<4) > 0
      guard isAnswered || Bool.random() else { return lost(action, began) }
      let (next, answer) = action.carryOut(on: value)
      value = next
      return isAnswered
        ? CounterOperation(action, began, Double(index) + .random(in: 0..<3), answer)
        : lost(action, began)
    }
  }
}

extension [CounterOperation] {
  /// Gives an operation the answer of another one, or moves it in time.
  fileprivate mutating func confuse() {
    let (one, other) = (Int.random(in: indices), Int.random(in: indices))
    guard let outcome = self[one].outcome, let answer = self[other].outcome?.answer else { return }
    let move = Duration.seconds(.random(in: -3..<3))
    self[one] = CounterOperation(
      action: self[one].action, began: self[one].began + move,
      outcome: .init(ended: outcome.ended + move, answer: Bool.random() ? answer : outcome.answer))
  }
}
