import BasicContainers
import System

/// The queue of visits that are in no batch yet: a ring, in order of arrival.
///
/// All visits have the same time-out, so the visit that arrived first expires first.
struct WaitingVisits: ~Copyable {
  /// Its size is a power of two, or 0.
  private var ring = UniqueArray<Visit>()
  private var head = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  /// The deadline of the first visit.
  var deadline: Instant { isEmpty ? .never : ring[head].deadline }

  /// Adds a visit at the end.
  ///
  /// - Returns: false when as many visits wait as may.
  @inline(__always)
  mutating func append(_ visit: Visit) -> Bool {
    if count == ring.count {
      guard count < Limits.waitingVisits else { return false }
      grow()
    }
    ring[(head &+ count) & (ring.count &- 1)] = visit
    count &+= 1
    return true
  }

  /// Removes visits from the front for as long as `body` takes them.
  @inline(__always)
  mutating func removeFirst(while body: (Visit) -> Bool) {
    var (first, rest) = (head, count)
    while rest > 0, body(ring[first]) {
      first = (first &+ 1) & (ring.count &- 1)
      rest &-= 1
    }
    (head, count) = (first, rest)
  }

  /// Removes the first visit if its time is over. O(1).
  ///
  /// - Returns: its ticket.
  mutating func removeExpired(_ now: Instant) -> UInt128? {
    guard deadline <= now else { return nil }
    let ticket = ring[head].ticket
    head = (head &+ 1) & (ring.count &- 1)
    count &-= 1
    return ticket
  }

  private mutating func grow() {
    let unused = Visit(ticket: 0, deadline: .never, counter: .hits, amount: 0)
    var larger = UniqueArray(repeating: unused, count: max(2 * count, 256))
    for index in 0..<count { larger[index] = ring[(head + index) & (ring.count - 1)] }
    ring = larger
    head = 0
  }
}
