/// How long to wait before the next try at something that keeps failing.
///
/// The wait doubles with every failure, from `shortest` to `longest`; each is drawn at random
/// between half of that and all of it, so that many clients of one server do not come back
/// together.
public struct Backoff: Sendable {
  private let shortest: Interval
  private let longest: Interval
  private var next: Interval

  /// A series of waits between two lengths.
  public init(from shortest: Interval, to longest: Interval) {
    self.shortest = shortest
    self.longest = longest
    next = shortest
  }

  /// The wait after one more failure.
  public mutating func failed() -> Interval {
    let wait = next
    next = min(next * 2, longest)
    return Interval(nanoseconds: .random(in: wait.nanoseconds / 2...wait.nanoseconds))
  }

  /// Starts again from the shortest wait.
  public mutating func succeeded() {
    next = shortest
  }
}
