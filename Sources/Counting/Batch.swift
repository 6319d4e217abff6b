import BasicContainers
import System

/// The operations that are carried out in Redis with one command, and the visits that asked for them.
///
/// Operations and number cannot change: a batch that is sent again is the same batch. Only its visits are
/// answered one after another.
struct Batch: ~Copyable {
  /// What the batch does with a counter. It refers to the keys of the counter and of the record.
  struct Operation: Sendable, BitwiseCopyable {
    let counter: KeyID

    /// Hits and reads of a counter are one operation: `.add` of the number of hits, which is 0 when all
    /// visits only read. Any other visit is an operation of its own.
    fileprivate(set) var action: Action
  }

  /// A visit of the batch.
  struct Member: Sendable, BitwiseCopyable {
    let ticket: UInt128
    let deadline: Instant

    /// How many hits the operation has up to and including this visit.
    let hitCount: Int32

    /// The index of the visit's operation.
    let operation: Int16

    let role: Role

    /// What the visit is to its operation.
    enum Role: UInt8, Sendable, BitwiseCopyable {
      /// One of its hits.
      case hit
      /// One of its reads.
      case read
      /// Its only visit.
      case only
    }
  }

  /// No other batch of the writer has this number.
  let number: UInt64

  /// In the order of arrival, and of their outcomes in the reply.
  let operations: UniqueArray<Operation>

  let members: UniqueArray<Member>
  fileprivate var answeredCount = 0

  /// How many visits wait for their outcome.
  var unansweredCount: Int { members.count - answeredCount }

  /// The deadline of the first visit that waits.
  var deadline: Instant {
    answeredCount == members.count ? .never : members[answeredCount].deadline
  }

  /// Whether an operation is on a counter with a name.
  var hasNames: Bool {
    for index in 0..<operations.count where operations[index].counter != .hits { return true }
    return false
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

/// A batch whose outcomes are known, and its visits that wait for theirs.
struct AnsweredBatch: ~Copyable {
  fileprivate var batch: Batch
  private var outcomes: UniqueArray<OperationOutcome>

  /// Whether the counter of `/` holds no integer, or none with room for more.
  let refusesHits: Bool

  /// How many visits were counted or read: all but those of refused operations.
  let succeededCount: Int

  /// How many operations the batch had.
  var operationCount: Int { outcomes.count }

  /// - Parameter outcomes: one for each operation.
  init(_ batch: consuming Batch, _ outcomes: consuming UniqueArray<OperationOutcome>) {
    precondition(outcomes.count == batch.operations.count)
    var refusesHits = false
    var hasRefused = false
    for index in 0..<outcomes.count {
      guard !outcomes[index].isSuccess else { continue }
      hasRefused = true
      if batch.operations[index].counter == .hits { refusesHits = true }
    }
    var succeededCount = batch.members.count
    if hasRefused {
      for index in 0..<batch.members.count
      where !outcomes[Int(batch.members[index].operation)].isSuccess {
        succeededCount -= 1
      }
    }
    self.refusesHits = refusesHits
    self.succeededCount = succeededCount
    self.batch = batch
    self.outcomes = outcomes
  }

  /// A batch that can never be carried out.
  init(refused batch: consuming Batch) {
    let count = batch.operations.count
    self.init(
      batch, UniqueArray(repeating: OperationOutcome(.unavailable), count: count))
  }

  /// The outcome of the next visit, or nil after the last one. The numbers are those that as many
  /// commands, one a visit, would have returned in order of arrival. Hits of one operation that together
  /// leave 64 bits are all refused.
  mutating func nextOutcome() -> Outcome? {
    guard batch.answeredCount < batch.members.count else { return nil }
    let member = batch.members[batch.answeredCount]
    batch.answeredCount &+= 1
    let index = Int(member.operation)
    return Outcome(
      ticket: member.ticket,
      result: outcomes[index].result(of: member, in: batch.operations[index].action))
  }

  /// Ends the references of the batch to keys.
  func releaseKeys(_ keys: inout KeyTable) { batch.releaseKeys(&keys) }
}

extension Batch {
  /// Ends the references of the batch to keys.
  func releaseKeys(_ keys: inout KeyTable) {
    for index in 0..<operations.count {
      operations[index].action.releaseRecord(&keys)
      keys.release(operations[index].counter)
    }
  }
}

extension Visit {
  /// Ends the references of a visit that is in no batch.
  func releaseKeys(_ keys: inout KeyTable) {
    action.releaseRecord(&keys)
    keys.release(counter)
  }
}

extension Action {
  /// Ends the reference to the key of a record, if there is one.
  @inline(__always)
  fileprivate func releaseRecord(_ keys: inout KeyTable) {
    if case .addOnce(_, let record) = self { keys.release(record) }
  }
}

/// Collects the visits of the next batch.
struct BatchBuilder: ~Copyable {
  private var operations = UniqueArray<Batch.Operation>()
  private var members = UniqueArray<Batch.Member>()

  /// Adds a visit; its references to keys become the batch's.
  ///
  /// - Returns: false when the batch has no room for another operation; the visit is not in it then.
  @inline(__always)
  mutating func add(_ visit: Visit, _ keys: inout KeyTable) -> Bool {
    switch visit.action {
    case .hit: addHit(visit, .hit, &keys)
    case .read: addHit(visit, .read, &keys)
    default: addOperation(visit, &keys)
    }
  }

  /// Adds a visit to the operation of the hits and reads of its counter.
  @inline(__always)
  private mutating func addHit(
    _ visit: Visit, _ role: Batch.Member.Role, _ keys: inout KeyTable
  ) -> Bool {
    var index = keys.openOperation(visit.counter)
    var hits: Int64 = role == .hit ? 1 : 0
    if index >= 0, case .add(let before) = operations[index].action {
      // At most 65,536 visits.
      hits &+= before
      keys.release(visit.counter)
    } else {
      guard operations.count < Limits.operationsABatch else { return false }
      index = operations.count
      operations.append(Batch.Operation(counter: visit.counter, action: .add(0)))
      keys.setOpenOperation(visit.counter, index)
    }
    operations[index].action = .add(hits)
    append(visit, to: index, hitCount: hits, role)
    return true
  }

  @inline(never)
  private mutating func addOperation(_ visit: Visit, _ keys: inout KeyTable) -> Bool {
    guard operations.count < Limits.operationsABatch else { return false }
    append(visit, to: operations.count, hitCount: 0, .only)
    operations.append(Batch.Operation(counter: visit.counter, action: visit.action))
    // Hits that follow come after it.
    keys.setOpenOperation(visit.counter, -1)
    return true
  }

  @inline(__always)
  private mutating func append(
    _ visit: Visit, to operation: Int, hitCount: Int64, _ role: Batch.Member.Role
  ) {
    members.append(
      Batch.Member(
        ticket: visit.ticket, deadline: visit.deadline,
        hitCount: Int32(truncatingIfNeeded: hitCount),
        operation: Int16(truncatingIfNeeded: operation), role: role))
  }

  /// The batch of all visits that were added; the next one starts empty.
  mutating func makeBatch(number: UInt64, _ keys: inout KeyTable) -> Batch {
    for index in 0..<operations.count { keys.setOpenOperation(operations[index].counter, -1) }
    var operations = UniqueArray<Batch.Operation>()
    var members = UniqueArray<Batch.Member>()
    swap(&operations, &self.operations)
    swap(&members, &self.members)
    return Batch(number: number, operations: operations, members: members)
  }

  /// Takes over the storage of a batch, so that batches of the usual size allocate none.
  mutating func reuseStorage(of answered: consuming AnsweredBatch) {
    let batch = answered.batch
    guard operations.isEmpty, batch.members.capacity <= Self.usualCapacity else { return }
    operations = batch.operations
    members = batch.members
    operations.removeAll(keepingCapacity: true)
    members.removeAll(keepingCapacity: true)
  }

  private static var usualCapacity: Int { 1 << 14 }
}
