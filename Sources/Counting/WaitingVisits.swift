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

  var isFull: Bool { count == Limits.waitingVisits }

  /// The deadline of the first visit.
  var deadline: Instant { isEmpty ? .never : ring[head].deadline }

  /// - Precondition: not `isFull`.
  @inline(__always)
  mutating func append(_ visit: Visit) {
    if count == ring.count { grow() }
    ring[(head &+ count) & (ring.count &- 1)] = visit
    count &+= 1
  }

  /// The visit that has waited longest.
  var first: Visit? { isEmpty ? nil : ring[head] }

  mutating func removeFirst() {
    precondition(!isEmpty)
    head = (head &+ 1) & (ring.count &- 1)
    count &-= 1
  }

  /// Removes the first visit if its time is over. O(1).
  ///
  /// - Returns: its ticket.
  mutating func removeExpired(_ now: Instant) -> UInt128? {
    guard let visit = first, visit.deadline <= now else { return nil }
    removeFirst()
    return visit.ticket
  }

  private mutating func grow() {
    precondition(!isFull)
    let unused = Visit(ticket: 0, deadline: .never, counter: .hits, amount: 0)
    var larger = UniqueArray(repeating: unused, count: max(2 * count, 256))
    for index in 0..<count { larger[index] = ring[(head + index) & (ring.count - 1)] }
    ring = larger
    head = 0
  }
}
