/// Operations that were not answered and may be carried out.
///
/// Of operations alike, the first one that is left stands for all.
struct UnansweredOperations {
  /// What a counter can hold, and a bit for each operation that leads there.
  typealias Way = (value: Int64?, used: UInt64)

  /// The slots of the operations, by what they do.
  private var slots: [CounterAction: [Int]] = [:]
  private let amounts: [Int64]

  /// - Parameters:
  ///   - actions: by slots, from 0 to 63; nil for no operation.
  ///   - used: a bit for each slot to leave out.
  init(_ actions: [CounterAction?], without used: UInt64) {
    for (slot, action) in actions.enumerated() where used & 1 << slot == 0 {
      if let action { slots[action, default: []].append(slot) }
    }
    amounts = slots.keys.compactMap { action in
      if case .add(let amount) = action, amount != 0 { amount } else { nil }
    }
  }

  /// Ways from one value to another, with nothing needless on them.
  func ways(from value: Int64?, to requirement: CounterAction.Requirement) -> [Way] {
    if requirement.isMet(by: value) { return [(value, 0)] }
    return beginnings(from: value).flatMap { way in
      if requirement.isMet(by: way.value) { return [way] }
      switch requirement {
      case .none: return []
      case .anyNumber: return amounts.map { additions(of: $0, count: 1, after: way) }
      case .number(let number), .numberOrNone(let number):
        return additions(amounts[...], to: number, after: way)
      }
    }
  }

  /// The ways that additions may follow on: nothing, a set, a removal, or a creation, if need be after a
  /// removal.
  private func beginnings(from value: Int64?) -> [Way] {
    var ways: [Way] = [(value, 0)]
    var toNone: UInt64? = value == nil ? 0 : nil
    if value != nil, let removal = slots[.remove]?.first {
      toNone = 1 << removal
      ways.append((nil, 1 << removal))
    }
    for (action, slots) in slots {
      switch action {
      case .set(let number): ways.append((number, 1 << slots[0]))
      case .create(let number): if let toNone { ways.append((number, toNone | 1 << slots[0])) }
      case .add, .remove, .read: break
      }
    }
    return ways
  }

  /// The ways by additions of these amounts.
  private func additions(_ amounts: ArraySlice<Int64>, to number: Int64, after way: Way) -> [Way] {
    guard let amount = amounts.first else { return way.value == number ? [way] : [] }
    let most = slots[.add(amount)]?.count ?? 0
    if amounts.count == 1 {
      // Nothing else may lead there, so their number is known.
      let (count, rest) = (number &- (way.value ?? 0)).quotientAndRemainder(dividingBy: amount)
      guard rest == 0, (0...Int64(most)).contains(count), count > 0 || way.value == number else {
        return []
      }
      return [additions(of: amount, count: Int(count), after: way)]
    }
    return (0...most).flatMap { count in
      additions(
        amounts.dropFirst(), to: number, after: additions(of: amount, count: count, after: way))
    }
  }

  private func additions(of amount: Int64, count: Int, after way: Way) -> Way {
    guard count > 0 else { return way }
    let used = slots[.add(amount), default: []].prefix(count).reduce(UInt64(0)) { $0 | 1 << $1 }
    return ((way.value ?? 0) &+ amount &* Int64(count), way.used | used)
  }
}

extension CounterAction {
  /// What a counter has to hold before an action that is answered.
  enum Requirement {
    case none
    case anyNumber
    case number(Int64)
    case numberOrNone(Int64)

    func isMet(by value: Int64?) -> Bool {
      switch self {
      case .none: value == nil
      case .anyNumber: value != nil
      case .number(let number): value == number
      case .numberOrNone(let number): value == number || value == nil
      }
    }
  }

  /// What an answer requires, if any value leads to it.
  func requirement(_ answer: CounterAnswer) -> Requirement {
    switch self {
    case .add(let amount):
      let number = (answer.number ?? 0) &- amount
      return number == 0 ? .numberOrNone(0) : .number(number)
    case .read, .remove: return answer.number.map { .number($0) } ?? .none
    case .set: return answer.status == 201 ? .none : .anyNumber
    case .create: return answer == .exists ? .anyNumber : .none
    }
  }
}
