/// The check of a counter to which only a few amounts are added.
///
/// The amounts are so far apart that a number tells how many additions of each amount it is the sum of: a
/// digit for each. So an answer tells which additions came before it, and how many came before it, its
/// *position*. The history of the counter is right if and only if
///
/// 1. each answered addition has a position of its own, and the digits never fall from one position to the
///    next,
/// 2. whatever began after another answer has a larger position; a read may have the same one,
/// 3. each addition that no answer accounts for is one that was not answered, and that began before any
///    larger position was answered.
struct AdditionCheck {
  /// The digits hold 16,777,215, 524,287 and 524,287 additions.
  static let amounts: [Int64] = [1, 1 << 24, -(1 << 43)]

  /// How many additions got a number that another one had got.
  private(set) var doubled = 0

  /// How many additions the numbers show that no client can have asked for.
  private(set) var skipped: Int64 = 0

  /// How many got no larger number than one that had been answered before they began.
  private(set) var outOfOrder = 0

  /// How many got an answer that is none, or a number that cannot follow the one before.
  private(set) var wrong = 0

  /// When something was answered that shows that the history is wrong, the first time.
  private(set) var evidence: ContinuousClock.Instant?

  var isRight: Bool { doubled == 0 && skipped == 0 && outOfOrder == 0 && wrong == 0 }

  private typealias Digits = SIMD3<Int64>

  /// An answer.
  private struct Answer {
    let began: ContinuousClock.Instant
    let ended: ContinuousClock.Instant

    /// How often each amount had been added.
    let digits: Digits

    /// What the operation itself added; nothing if it read.
    let own: Digits

    var position: Int64 { digits.wrappedSum() }
    var isRead: Bool { own == Digits() }
  }

  /// - Parameter operations: additions of the amounts, and reads.
  init(_ operations: [CounterOperation]) {
    var answers: [Answer] = []
    var unanswered = Self.amounts.map { _ in [ContinuousClock.Instant]() }
    for operation in operations {
      if let answer = Self.answer(to: operation) {
        answers.append(answer)
      } else if let outcome = operation.outcome {
        wrong += 1
        noteEvidence(outcome.ended)
      } else if case .add(let amount) = operation.action, let index = Self.index(of: amount) {
        unanswered[index].append(operation.began)
      }
    }
    checkTimes(answers)
    let gaps = checkPositions(answers)
    for index in Self.amounts.indices {
      account(for: gaps.map { ($0.missing[index], $0.end) }, by: unanswered[index])
    }
  }

  private mutating func noteEvidence(_ time: ContinuousClock.Instant) {
    evidence = min(evidence ?? time, time)
  }

  private static func answer(to operation: CounterOperation) -> Answer? {
    guard let outcome = operation.outcome else { return nil }
    let number: Int64
    switch outcome.answer.number {
    case let answered? where outcome.answer.status == 200: number = answered
    case nil where outcome.answer == .absent && operation.action == .read: number = 0
    default: return nil
    }
    var own = Digits()
    if case .add(let amount) = operation.action {
      guard let index = index(of: amount) else { return nil }
      own[index] = 1
    }
    return Answer(
      began: operation.began, ended: outcome.ended, digits: digits(of: number), own: own)
  }

  private static func index(of amount: Int64) -> Int? { amounts.firstIndex(of: amount) }

  /// How often each amount is in a number.
  private static func digits(of number: Int64) -> Digits {
    let high = number >> 24
    return [number & 0xFF_FFFF, high & 0x7_FFFF, 0 &- (high >> 19)]
  }

  /// A sweep over time: each, when it begins, against the largest position answered by then.
  private mutating func checkTimes(_ answers: [Answer]) {
    let byEnd = answers.sorted { $0.ended < $1.ended }
    var ended = 0
    var largest = Int64.min
    for answer in answers.sorted(by: { $0.began < $1.began }) {
      while ended < byEnd.count, byEnd[ended].ended < answer.began {
        largest = max(largest, byEnd[ended].position)
        ended += 1
      }
      guard answer.position < largest || answer.position == largest && !answer.isRead else {
        continue
      }
      outOfOrder += 1
      noteEvidence(answer.ended)
    }
  }

  /// Additions that no answer accounts for, and when the first larger position was answered.
  private struct Gap {
    let missing: Digits
    var end: ContinuousClock.Instant
  }

  /// A sweep over the positions, which counts what is doubled or wrong, and leaves it out.
  private mutating func checkPositions(_ answers: [Answer]) -> [Gap] {
    var gaps: [Gap] = []
    var reached = Digits()
    let inOrder = answers.sorted {
      ($0.position, $0.isRead ? 1 : 0) < ($1.position, $1.isRead ? 1 : 0)
    }
    for answer in inOrder {
      let before = answer.digits &- answer.own
      guard all(before .>= reached) else {
        if answer.digits == reached { doubled += 1 } else { wrong += 1 }
        noteEvidence(answer.ended)
        continue
      }
      gaps.append(Gap(missing: before &- reached, end: answer.ended))
      reached = answer.digits
    }
    for index in gaps.indices.dropLast().reversed() {
      gaps[index].end = min(gaps[index].end, gaps[index + 1].end)
    }
    return gaps
  }

  /// Puts additions of an amount that are missing down to unanswered ones.
  ///
  /// Taking the first that fits is no loss: one that can account for a position can account for all larger
  /// ones.
  private mutating func account(
    for gaps: [(size: Int64, end: ContinuousClock.Instant)],
    by unanswered: [ContinuousClock.Instant]
  ) {
    let unanswered = unanswered.sorted()
    var begun = 0
    var used: Int64 = 0
    for gap in gaps where gap.size > 0 {
      while begun < unanswered.count, unanswered[begun] < gap.end { begun += 1 }
      let accounted = min(gap.size, Int64(begun) - used)
      used += accounted
      guard accounted < gap.size else { continue }
      skipped += gap.size - accounted
      noteEvidence(gap.end)
    }
  }
}
