/// What the histories of all counters with names show, each by itself.
struct CounterFindings {
  private(set) var counters = 0
  private(set) var requests = 0
  private(set) var unanswered = 0

  /// How many requests were refused because the counter held no integer.
  private(set) var refused = 0

  /// How many requests had the idempotency key of another one.
  private(set) var repeats = 0

  // Additions of counters that are only added to: see `AdditionCheck`.
  private(set) var doubled = 0
  private(set) var skipped: Int64 = 0
  private(set) var outOfOrder = 0
  private(set) var wrong = 0

  /// How many idempotency keys were answered as no operation that is carried out once can be.
  private(set) var contradictions = 0

  /// How many counters that are set and removed, too, have a history that no order explains.
  private(set) var unexplained = 0

  /// For how many of them it was too much to find out.
  private(set) var undecided = 0

  /// How many buckets of counters Redis holds a wrong number for.
  let miscountedBuckets: Int

  /// The histories of the first few counters that are wrong, in part.
  private(set) var examples: [String] = []

  init(_ histories: [String: CounterHistory], _ contents: CounterContents) {
    miscountedBuckets = contents.miscountedBuckets
    for name in Set(histories.keys).union(contents.numbers.keys).sorted() {
      add(name, histories[name] ?? CounterHistory(), contents.numbers[name])
    }
  }

  /// Each answer is right, and an operation without an answer was carried out once at most.
  var isExactWhereAnswered: Bool {
    doubled == 0 && skipped == 0 && outOfOrder == 0 && wrong == 0 && contradictions == 0
      && unexplained == 0 && undecided == 0 && miscountedBuckets == 0
  }

  var isExact: Bool { isExactWhereAnswered && unanswered == 0 }

  /// - Parameter number: what Redis holds in the end.
  private mutating func add(_ name: String, _ history: CounterHistory, _ number: Int64?) {
    counters += 1
    requests += history.requests.count
    refused += history.refused
    unanswered += history.requests.count { $0.answer == nil }
    repeats += history.repeats
    contradictions += history.contradictions.count
    let end = ContinuousClock.now
    let last = CounterOperation(
      action: .read, began: end,
      outcome: .init(ended: end, answer: CounterAction.read.carryOut(on: number).answer))
    let operations = history.operations + [last]
    let evidence = history.onlyAdds ? checkAdditions(operations) : checkOrder(operations)
    guard let time = evidence ?? history.contradictions.first, examples.count < 5 else { return }
    examples.append(
      "\(name) = \(number.map { "\($0)" } ?? "none")\n\(history.excerpt(until: time))")
  }

  /// - Returns: when an answer showed that they are wrong; nil if they are right.
  private mutating func checkAdditions(
    _ operations: [CounterOperation]
  ) -> ContinuousClock.Instant? {
    let check = AdditionCheck(operations)
    doubled += check.doubled
    skipped += check.skipped
    outOfOrder += check.outOfOrder
    wrong += check.wrong
    return check.evidence
  }

  /// - Returns: the same.
  private mutating func checkOrder(_ operations: [CounterOperation]) -> ContinuousClock.Instant? {
    switch Linearization.check(operations) {
    case .possible: return nil
    case .undecided:
      undecided += 1
      return operations.last?.began
    case .impossible(let index):
      unexplained += 1
      return operations[index].outcome?.ended
    }
  }
}

extension CounterFindings: CustomStringConvertible {
  /// How often each kind of fault was found; 0 if none was.
  var description: String {
    let kinds = [
      (doubled, "doubled"), (Int(skipped), "skipped"), (outOfOrder, "out of order"),
      (wrong, "wrong"), (contradictions, "keys answered differently"),
      (unexplained, "counters not explained"), (undecided, "counters undecided"),
      (miscountedBuckets, "buckets miscounted"),
    ]
    let found = kinds.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return found.isEmpty ? "0" : found.joined(separator: ", ")
  }
}
