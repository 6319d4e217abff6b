/// Looks for an order in which the operations of a counter can have been carried out, one after another,
/// each between its begin and its end. It is there if and only if the history is right.
///
/// This is just-in-time linearization (Lowe, "Testing for linearizability", 2017): begins and ends are gone
/// through in the order of time, with the set of all states that the counter can be in. An operation is
/// carried out in a state only when an end requires it: that of the operation itself, or that of one before
/// which it can have come. Operations without an answer are carried out only to make an answer right: a set,
/// a creation or a removal at most, and then the additions that lead to the number that the answer requires.
///
/// Its limits: 64 operations at a time that overlap or were not answered, and `mostStates` states. Beyond
/// them the verdict is `undecided`. The effort grows exponentially with the operations that overlap and with
/// the different amounts of additions without an answer, and not with the length of the history.
struct Linearization {
  enum Verdict: Equatable {
    case possible

    /// No order explains the answer to the operation of this index, and all answers before it.
    case impossible(Int)

    case undecided
  }

  private static let mostStates = 100_000

  /// What the counter can hold, and which open operations were carried out then.
  private struct State: Hashable {
    var value: Int64?

    /// A bit for each slot of an operation.
    var done: UInt64 = 0
  }

  /// An operation that began and has not ended.
  private struct Slot {
    let action: CounterAction

    /// Nil if the operation never ends.
    let answer: CounterAnswer?

    /// Whether the operation changes nothing, whatever the counter holds, if this is its answer.
    var isRead: Bool { action == .read || answer == .absent || answer == .exists }
  }

  /// States without the needless ones: those that differ from another one only in that more operations
  /// without an answer were carried out. They allow nothing that the other one does not allow.
  private struct NeededStates {
    /// A bit for each slot of an operation without an answer.
    let unanswered: UInt64

    /// Which of those were carried out, for each state of the rest.
    private var used: [State: [UInt64]] = [:]

    private(set) var count = 0

    init(unanswered: UInt64) { self.unanswered = unanswered }

    /// Adds a state; those with fewer operations without an answer come first.
    ///
    /// - Returns: false if it is needless.
    mutating func insert(_ state: State) -> Bool {
      let rest = State(value: state.value, done: state.done & ~unanswered)
      guard used[rest]?.contains(where: { $0 & ~state.done == 0 }) != true else { return false }
      used[rest, default: []].append(state.done & unanswered)
      count += 1
      return true
    }

    var states: [State] {
      used.flatMap { rest, sets in sets.map { State(value: rest.value, done: rest.done | $0) } }
    }
  }

  private var states = [State()]

  /// Only as many as the open operations need.
  private var slots: [Slot?] = []

  static func check(_ operations: [CounterOperation]) -> Verdict {
    var check = Linearization()
    var slotOf: [Int: Int] = [:]
    for event in events(operations) {
      let operation = operations[event.operation]
      if !event.isEnd {
        guard let slot = check.takeSlot() else { return .undecided }
        check.slots[slot] = Slot(action: operation.action, answer: operation.outcome?.answer)
        slotOf[event.operation] = slot
      } else if let slot = slotOf.removeValue(forKey: event.operation) {
        guard check.carryOut(slot) else { return .undecided }
        guard !check.states.isEmpty else { return .impossible(event.operation) }
      }
    }
    return .possible
  }

  private struct Event {
    let time: ContinuousClock.Instant
    let isEnd: Bool
    let operation: Int
  }

  /// In the order of time, begins before ends.
  private static func events(_ operations: [CounterOperation]) -> [Event] {
    var events: [Event] = []
    for (index, operation) in operations.enumerated() {
      events.append(Event(time: operation.began, isEnd: false, operation: index))
      guard let outcome = operation.outcome else { continue }
      events.append(Event(time: outcome.ended, isEnd: true, operation: index))
    }
    return events.sorted { ($0.time, $0.isEnd ? 1 : 0) < ($1.time, $1.isEnd ? 1 : 0) }
  }

  /// - Returns: nil if all are taken.
  private mutating func takeSlot() -> Int? {
    if let free = slots.firstIndex(where: { $0 == nil }) { return free }
    guard slots.count < UInt64.bitWidth else { return nil }
    slots.append(nil)
    return slots.count - 1
  }

  /// Leaves the states in which the operation of a slot, which ends, has been carried out.
  ///
  /// - Returns: false if there are too many states.
  private mutating func carryOut(_ ending: Int) -> Bool {
    let unanswered = unanswered
    let open = slots.map { $0?.answer == nil ? $0?.action : nil }
    var reached = NeededStates(unanswered: unanswered)
    var seen = reached
    // By how many operations without an answer were carried out, so that a state is found needless at once.
    var lefts: [UInt64: UnansweredOperations] = [:]
    var unvisited: [[State]] = Array(repeating: [], count: slots.count + 1)
    for state in states { unvisited[(state.done & unanswered).nonzeroBitCount].append(state) }
    for count in unvisited.indices {
      while let next = unvisited[count].popLast() {
        var state = withReads(next)
        guard seen.insert(state) else { continue }
        guard seen.count <= Self.mostStates else { return false }
        guard !state.done.contains(ending) else {
          state.done.remove(ending)
          _ = reached.insert(state)
          continue
        }
        let used = state.done & unanswered
        let left = lefts[used] ?? UnansweredOperations(open, without: used)
        lefts[used] = left
        for successor in successors(of: state, left) {
          unvisited[(successor.done & unanswered).nonzeroBitCount].append(successor)
        }
      }
    }
    slots[ending] = nil
    states = reached.states
    freeSlots()
    while let last = slots.last, last == nil { slots.removeLast() }
    return true
  }

  /// A bit for each slot of an operation without an answer.
  private var unanswered: UInt64 {
    var bits: UInt64 = 0
    for (index, slot) in slots.enumerated() where slot != nil && slot?.answer == nil {
      bits.insert(index)
    }
    return bits
  }

  /// Carries out the reads that a state answers as they were answered. Putting them off gains nothing.
  private func withReads(_ state: State) -> State {
    var state = state
    for (index, slot) in slots.enumerated() where !state.done.contains(index) {
      guard let slot, slot.isRead else { continue }
      if slot.action.carryOut(on: state.value).answer == slot.answer { state.done.insert(index) }
    }
    return state
  }

  /// The states after one more operation that was answered, with those before it that it requires.
  private func successors(of state: State, _ left: UnansweredOperations) -> [State] {
    var successors: [State] = []
    for (index, slot) in slots.enumerated() where !state.done.contains(index) {
      guard let slot, let answer = slot.answer else { continue }
      for (value, used) in left.ways(from: state.value, to: slot.action.requirement(answer)) {
        let (value, given) = slot.action.carryOut(on: value)
        guard given == answer else { continue }
        var next = State(value: value, done: state.done | used)
        next.done.insert(index)
        successors.append(next)
      }
    }
    return successors
  }

  /// Frees the slots of operations without an answer that were carried out in all states.
  private mutating func freeSlots() {
    let done = states.reduce(UInt64.max) { $0 & $1.done }
    guard done != 0, !states.isEmpty else { return }
    var freed: UInt64 = 0
    for (index, slot) in slots.enumerated() where done.contains(index) && slot?.answer == nil {
      slots[index] = nil
      freed.insert(index)
    }
    states = states.map { State(value: $0.value, done: $0.done & ~freed) }
  }
}

extension UInt64 {
  fileprivate func contains(_ bit: Int) -> Bool { self & 1 << bit != 0 }
  fileprivate mutating func insert(_ bit: Int) { self |= 1 << bit }
  fileprivate mutating func remove(_ bit: Int) { self &= ~(1 << bit) }
}
