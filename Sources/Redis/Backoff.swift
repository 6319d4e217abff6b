package import System

/// How long to wait before the next try at something that keeps failing.
///
/// The wait doubles with every failure, from `shortest` to `longest`; each is drawn at random
/// between half of that and all of it, so that many clients of one server do not come back
/// together.
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

  /// The wait after one more failure.
  package mutating func failed() -> Interval {
    let wait = next
    next = min(next * 2, longest)
    return Interval(nanoseconds: .random(in: wait.nanoseconds / 2...wait.nanoseconds))
  }

  /// Starts again from the shortest wait.
  package mutating func succeeded() {
    next = shortest
  }
}
