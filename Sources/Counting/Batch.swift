import BasicContainers
import System

/// The visits that are added to Redis with one command.
///
/// Counters, amounts and number cannot change: a batch that is sent again is the same batch. Only its
/// visits are answered one after another.
struct Batch: ~Copyable {
  /// A counter of the batch, and how much the batch adds to it.
  struct Group: Sendable, BitwiseCopyable {
    let counter: CounterID
    fileprivate(set) var amount: Int64
  }

  /// A visit of the batch.
  struct Member: Sendable, BitwiseCopyable {
    let ticket: UInt128
    let deadline: Instant

    /// What the batch adds to the visit's counter up to and including this visit.
    let partialAmount: Int64

    /// The index of the visit's counter among the groups.
    let group: Int
  }

  /// No other batch of the writer has this number.
  let number: UInt64

  /// In the order of their totals in the reply.
  let groups: UniqueArray<Group>

  let members: UniqueArray<Member>
  fileprivate var answeredCount = 0

  /// How many visits wait for their outcome.
  var unansweredCount: Int { members.count - answeredCount }

  /// The deadline of the first visit that waits.
  var deadline: Instant {
    answeredCount == members.count ? .never : members[answeredCount].deadline
  }

  /// Removes the first visit that waits if its time is over. The numbers of the others stay.
  ///
  /// - Returns: its ticket.
  mutating func removeExpired(_ now: Instant) -> UInt128? {
    guard deadline <= now else { return nil }
    defer { answeredCount &+= 1 }
    return members[answeredCount].ticket
  }

  /// Visits in a row that wait and have the same deadline.
  ///
  /// - Parameter index: how many visits that wait stand before them.
  func run(at index: Int) -> (deadline: Instant, count: Int)? {
    let first = answeredCount + index
    guard first < members.count else { return nil }
    let deadline = members[first].deadline
    var end = first + 1
    while end < members.count, members[end].deadline == deadline { end &+= 1 }
    return (deadline, end - first)
  }
}

/// A batch whose result is known, and its visits that wait for their outcome.
struct AnsweredBatch: ~Copyable {
  fileprivate var batch: Batch

  /// The value of each group's counter before the batch; nil for a refused counter.
  private var values: UniqueArray<Int64?>

  /// A counter of the batch that Redis refused.
  let refusedCounter: CounterID?

  /// How many visits were added: all but those of refused counters.
  let addedCount: Int

  /// - Parameter totals: of the counters after the batch, nil for a refused one.
  init(_ batch: consuming Batch, totals: consuming UniqueArray<Int64?>) {
    precondition(totals.count == batch.groups.count)
    var refusedCounter: CounterID?
    for index in 0..<totals.count {
      totals[index]? &-= batch.groups[index].amount
      if totals[index] == nil { refusedCounter = batch.groups[index].counter }
    }
    var addedCount = batch.members.count
    if refusedCounter != nil {
      for index in 0..<batch.members.count where totals[batch.members[index].group] == nil {
        addedCount -= 1
      }
    }
    self.refusedCounter = refusedCounter
    self.addedCount = addedCount
    self.batch = batch
    values = totals
  }

  /// A batch of which Redis refused every counter.
  init(refused batch: consuming Batch) {
    let count = batch.groups.count
    self.init(batch, totals: UniqueArray(repeating: nil, count: count))
  }

  /// The outcome of the next visit, or nil after the last one. The numbers are those that an INCRBY a
  /// visit would have returned, in order of arrival.
  mutating func nextOutcome() -> Outcome? {
    guard batch.answeredCount < batch.members.count else { return nil }
    let member = batch.members[batch.answeredCount]
    batch.answeredCount &+= 1
    guard let value = values[member.group] else {
      return Outcome(ticket: member.ticket, number: nil)
    }
    return Outcome(ticket: member.ticket, number: value &+ member.partialAmount)
  }
}

/// Collects the visits of the next batch.
struct BatchBuilder: ~Copyable {
  private var groups = UniqueArray<Batch.Group>()
  private var members = UniqueArray<Batch.Member>()

  /// For each counter its index among the groups, or -1.
  private var groupOfCounter: UniqueArray<Int>

  /// Builds batches of counters from 0 up to, but not including, `counters`.
  init(counters: Int) {
    groupOfCounter = UniqueArray(repeating: -1, count: counters)
  }

  /// - Returns: false when the batch has no room for another counter; the visit is not in it then.
  mutating func add(_ visit: Visit) -> Bool {
    var group = groupOfCounter[Int(visit.counter.index)]
    if group < 0 {
      guard groups.count < Limits.countersABatch else { return false }
      group = groups.count
      groups.append(Batch.Group(counter: visit.counter, amount: 0))
      groupOfCounter[Int(visit.counter.index)] = group
    }
    // At most 65,536 amounts of 32 bits.
    groups[group].amount &+= Int64(visit.amount)
    members.append(
      Batch.Member(
        ticket: visit.ticket, deadline: visit.deadline, partialAmount: groups[group].amount,
        group: group))
    return true
  }

  /// The batch of all visits that were added; the next one starts empty.
  mutating func makeBatch(number: UInt64) -> Batch {
    for index in 0..<groups.count { groupOfCounter[Int(groups[index].counter.index)] = -1 }
    var groups = UniqueArray<Batch.Group>()
    var members = UniqueArray<Batch.Member>()
    swap(&groups, &self.groups)
    swap(&members, &self.members)
    return Batch(number: number, groups: groups, members: members)
  }

  /// Takes over the storage of a batch, so that batches of the usual size allocate none.
  mutating func reuseStorage(of answered: consuming AnsweredBatch) {
    let batch = answered.batch
    guard groups.isEmpty, batch.members.capacity <= Self.usualCapacity else { return }
    groups = batch.groups
    members = batch.members
    groups.removeAll(keepingCapacity: true)
    members.removeAll(keepingCapacity: true)
  }

  private static var usualCapacity: Int { 1 << 14 }
}
