import System

/// What the visits were answered, and how long those in the measured window took.
struct Tally: Sendable {
  /// The numbers that visits were given, in the order of the answers.
  private(set) var numbers: [Int64] = []

  /// How many visits got no number.
  private(set) var failures = 0

  /// Nanoseconds from when a visit came to its number.
  private(set) var latencies: [Int64] = []

  private let window: Range<Instant>

  init(window: Range<Instant>) {
    self.window = window
  }

  /// How many visits were answered, one way or the other.
  var count: Int { numbers.count + failures }

  mutating func add(_ number: Int64?, asked: Instant, answered: Instant) {
    if let number { numbers.append(number) } else { failures += 1 }
    if window.contains(asked) { latencies.append((answered - asked).nanoseconds) }
  }

  /// Adds what another group saw.
  mutating func add(_ other: Tally) {
    numbers += other.numbers
    failures += other.failures
    latencies += other.latencies
  }

  /// Whether every number from 1 to `count` was given to exactly one visit, and all visits got one.
  func isExact(count: Int64) -> Bool {
    guard failures == 0, numbers.count == count else { return false }
    var isGiven = Array(repeating: false, count: numbers.count)
    for number in numbers {
      guard (1...count).contains(number), !isGiven[Int(number - 1)] else { return false }
      isGiven[Int(number - 1)] = true
    }
    return true
  }
}
