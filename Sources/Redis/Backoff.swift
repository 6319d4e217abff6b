package import System

/// The wait before the next attempt at something that keeps failing.
///
/// The wait doubles with each failure, from `shortest` to `longest`. Each is drawn at random between
/// half of that and all of it, so that many clients of one server do not come back together.
package struct Backoff: Sendable {
  private let shortest: Interval
  private let longest: Interval
  private var next: Interval

  /// A series of waits between two lengths.
  package init(from shortest: Interval, to longest: Interval) {
    self.shortest = shortest
    self.longest = longest
    next = shortest
  }

  /// Notes a failure.
  ///
  /// - Returns: the wait after it.
  package mutating func failed() -> Interval {
    let wait = next
    next = min(next * 2, longest)
    return Interval(nanoseconds: .random(in: wait.nanoseconds / 2...wait.nanoseconds))
  }

  /// Notes a success: the next wait is the shortest again.
  package mutating func succeeded() {
    next = shortest
  }
}
