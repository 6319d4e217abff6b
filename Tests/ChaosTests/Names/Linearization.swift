/// Looks for an order in which the operations of a counter can have been carried out, one after another,
/// each between its begin and its end. It is there if and only if the history is right.
///
/// This is just-in-time linearization (Lowe, "Testing for linearizability", 2017): begins and ends are gone
/// through in the order of time, with the set of all states that the counter can be in. An operation is
/// carried out in a state only when an end requires it: that of the operation itself, or that of one before
/// which it can have come.
///
/// Its limits: 64 operations at a time that overlap or were not answered, and `mostStates` states. Beyond
/// them the verdict is `undecided`. The effort grows exponentially with the operations that were not
/// answered, and not with the length of the history.
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

  private var states: Set<State> = [State()]

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
    var seen: Set<State> = []
    var reached: [State] = []
    var unvisited = Array(states)
    while let next = unvisited.popLast() {
      var state = withReads(next)
      guard seen.insert(state).inserted else { continue }
      guard seen.count <= Self.mostStates else { return false }
      if state.done.contains(ending) {
        state.done.remove(ending)
        reached.append(state)
      } else {
        unvisited += successors(of: state)
      }
    }
    slots[ending] = nil
    states = withoutNeedless(reached)
    freeSlots()
    while let last = slots.last, last == nil { slots.removeLast() }
    return true
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

  /// The states after one more operation. Of operations alike that were not answered, the first one that is
  /// left stands for all.
  private func successors(of state: State) -> [State] {
    var successors: [State] = []
    var unanswered: Set<CounterAction> = []
    for (index, slot) in slots.enumerated() where !state.done.contains(index) {
      guard let slot else { continue }
      let (value, answer) = slot.action.carryOut(on: state.value)
      if let expected = slot.answer {
        guard answer == expected else { continue }
      } else {
        guard value != state.value, unanswered.insert(slot.action).inserted else { continue }
      }
      var next = State(value: value, done: state.done)
      next.done.insert(index)
      successors.append(next)
    }
    return successors
  }

  /// Leaves out each state that differs from another one only in that more operations without an answer were
  /// carried out: it allows nothing that the other does not allow.
  private func withoutNeedless(_ states: [State]) -> Set<State> {
    guard states.count > 1 else { return Set(states) }
    var unanswered: UInt64 = 0
    for (index, slot) in slots.enumerated() where slot != nil && slot?.answer == nil {
      unanswered.insert(index)
    }
    var kept: [State: [UInt64]] = [:]
    for state in states.sorted(by: { $0.done.nonzeroBitCount < $1.done.nonzeroBitCount }) {
      let key = State(value: state.value, done: state.done & ~unanswered)
      let used = state.done & unanswered
      if kept[key, default: []].contains(where: { $0 & ~used == 0 }) { continue }
      kept[key, default: []].append(used)
    }
    return Set(
      kept.flatMap { key, sets in
        sets.map { State(value: key.value, done: key.done | $0) }
      })
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
    states = Set(states.map { State(value: $0.value, done: $0.done & ~freed) })
  }
}

extension UInt64 {
  fileprivate func contains(_ bit: Int) -> Bool { self & 1 << bit != 0 }
  fileprivate mutating func insert(_ bit: Int) { self |= 1 << bit }
  fileprivate mutating func remove(_ bit: Int) { self &= ~(1 << bit) }
}
