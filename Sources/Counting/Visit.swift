import BasicContainers
import System

/// A visit that waits for its number.
struct Visit: Sendable, BitwiseCopyable {
  /// What its asker will know it by.
  let ticket: UInt128

  /// Until when it can be answered with a number.
  let deadline: Instant
}

/// What became of a visit.
package struct Answer: Sendable, BitwiseCopyable {
  /// What its asker knows it by.
  package let ticket: UInt128

  /// Its number; nil when it could not be had in time.
  package let number: Int64?
}

/// Visits in the order they came, answered from the front.
struct Batch: ~Copyable {
  private var visits = UniqueArray<Visit>()
  private var answered = 0

  /// How many visits there are, answered ones included: what is added to the counter.
  var count: Int { visits.count }

  /// How many of them still wait for an answer.
  var unanswered: Int { visits.count - answered }

  /// Whether nobody waits for an answer any more.
  var isAnswered: Bool { answered == visits.count }

  /// When the first visit that waits runs out of time.
  var deadline: Instant { isAnswered ? .never : visits[answered].deadline }

  mutating func append(_ visit: Visit) {
    visits.append(visit)
  }

  /// Takes the first visit that waits.
  ///
  /// - Returns: its ticket, and its place in the whole batch.
  mutating func next() -> (ticket: UInt128, place: Int)? {
    guard answered < visits.count else { return nil }
    defer { answered &+= 1 }
    return (visits[answered].ticket, answered)
  }

  /// Visits in a row that run out of time together, those that were answered left out.
  ///
  /// - Parameter index: how many visits that wait come before them.
  func run(at index: Int) -> (deadline: Instant, count: Int)? {
    let first = answered + index
    guard first < visits.count else { return nil }
    let deadline = visits[first].deadline
    var end = first + 1
    while end < visits.count, visits[end].deadline == deadline { end &+= 1 }
    return (deadline, end - first)
  }

  /// Takes the first visit that waits, if it has run out of time.
  mutating func nextExpired(_ now: Instant) -> UInt128? {
    guard deadline <= now else { return nil }
    return next()?.ticket
  }

  /// Makes room once most visits were answered: so it costs little each, however many there are.
  mutating func dropAnsweredIfMost() {
    if answered > visits.count / 2 { dropAnswered() }
  }

  /// Forgets the visits that were answered; the rest is the whole batch.
  mutating func dropAnswered() {
    guard answered > 0 else { return }
    visits.removeSubrange(..<answered)
    answered = 0
  }

  /// Forgets all visits, and gives back the room for more of them than usual.
  mutating func removeAll() {
    if visits.capacity > Self.usualCapacity {
      visits = UniqueArray()
    } else {
      visits.removeAll(keepingCapacity: true)
    }
    answered = 0
  }

  private static var usualCapacity: Int { 1 << 14 }
}
