import DequeModule
import System

/// The queue of visits that are in no batch yet, in order of arrival.
///
/// All visits have the same time-out, so the visit that arrived first expires first.
struct WaitingVisits: ~Copyable {
  private var visits = UniqueDeque<Visit>()

  var count: Int { visits.count }

  var isEmpty: Bool { visits.isEmpty }

  /// Whether the first visit is one of `/`.
  var isOfHits: Bool { !isEmpty && visits[0].counter == .hits }

  /// The deadline of the first visit.
  var deadline: Instant { isEmpty ? .never : visits[0].deadline }

  /// Adds a visit at the end.
  ///
  /// - Returns: false when as many visits wait as may.
  @inline(__always)
  mutating func append(_ visit: Visit) -> Bool {
    guard visits.count < Limits.waitingVisits else { return false }
    visits.append(visit)
    return true
  }

  /// Removes visits from the front for as long as `body` takes them.
  @inline(__always)
  mutating func removeFirst(while body: (Visit) -> Bool) {
    var taken = 0
    while taken < visits.count, body(visits[taken]) { taken &+= 1 }
    visits.removeFirst(taken)
  }

  /// Removes the first visit.
  mutating func removeFirst() -> Visit? { visits.popFirst() }

  /// Gives storage for many visits back when none waits.
  mutating func releaseStorage() {
    if visits.isEmpty, visits.capacity > Self.usualCapacity { visits = UniqueDeque() }
  }

  private static var usualCapacity: Int { 1024 }

  /// Removes the first visit if its time is over.
  mutating func removeExpired(_ now: Instant) -> Visit? {
    deadline <= now ? visits.removeFirst() : nil
  }
}
