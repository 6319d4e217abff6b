import BasicContainers

/// The outcome of an operation, as the script of a batch reports it in one word.
struct OperationOutcome: Sendable, BitwiseCopyable {
  let kind: Kind

  /// The number that the kind comes with, or 0.
  let number: Int64

  /// The first character of a word; the number follows it.
  enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// The number after the operation, or that of a removed counter. No character stands before it.
    case number = 0x20
    /// The number after the operation, and the counter did not exist before.
    case created = 0x2B  // +
    /// The number of the first time, from the record of an idempotency key.
    case replayed = 0x40  // @
    /// The counter exists already, and holds the number.
    case exists = 0x3D  // =
    /// The total would leave 64 bits. The number is that of the counter as it is.
    case outOfRange = 0x5E  // ^
    /// The counter does not exist.
    case absent = 0x2D  // -
    /// There are as many counters as may be.
    case tooManyCounters = 0x23  // #
    /// The key holds no integer.
    case notAnInteger = 0x21  // !
    /// The idempotency key stands for another amount.
    case keyReused = 0x7E  // ~
    /// The operation was not carried out. No word stands for it.
    case unavailable = 0
  }

  init(_ kind: Kind, _ number: Int64 = 0) {
    self.kind = kind
    self.number = number
  }

  /// - Returns: nil when it is no word that the script writes.
  init?(word: Substring) {
    if let number = Self.integer(word) {
      self.init(.number, number)
      return
    }
    guard let first = word.utf8.first, let kind = Kind(rawValue: first) else { return nil }
    switch kind {
    case .number, .unavailable: return nil
    case .absent, .tooManyCounters, .notAnInteger, .keyReused:
      guard word.utf8.count == 1 else { return nil }
      self.init(kind)
    case .created, .replayed, .exists, .outOfRange:
      guard let number = Self.integer(word.dropFirst()) else { return nil }
      self.init(kind, number)
    }
  }

  /// The integer that a text spells without a plus sign, which would be an outcome of another kind.
  private static func integer(_ text: Substring) -> Int64? {
    text.utf8.first == Kind.created.rawValue ? nil : Int64(text)
  }

  /// The outcomes of a reply; nil unless there are as many as `count`.
  static func parse(_ reply: String, count: Int) -> UniqueArray<OperationOutcome>? {
    var outcomes = UniqueArray<OperationOutcome>(minimumCapacity: count)
    // Most batches have one counter, and this saves them 400 instructions.
    if count == 1, reply.utf8.first != Kind.created.rawValue, let number = Int64(reply) {
      outcomes.append(OperationOutcome(.number, number))
      return consume outcomes
    }
    for word in reply.split(separator: " ", omittingEmptySubsequences: false) {
      guard let outcome = OperationOutcome(word: word) else { return nil }
      outcomes.append(outcome)
    }
    guard outcomes.count == count else { return nil }
    return consume outcomes
  }

  /// Whether the counter was counted, read or changed as was asked.
  var isSuccess: Bool {
    switch kind {
    case .number, .created, .replayed, .absent, .exists: true
    case .outOfRange, .tooManyCounters, .notAnInteger, .keyReused, .unavailable: false
    }
  }

  /// What became of a visit of the operation.
  @inline(__always)
  func result(of member: Batch.Member, in action: Action) -> Outcome.Result {
    guard case .add(let amount) = action, member.role != .only else { return result }
    let before = Int64(member.hitCount)
    switch kind {
    case .number: return .number(number &- amount &+ before)
    case .created: return before == 0 ? .absent : .number(number &- amount &+ before)
    case .outOfRange: return member.role == .read ? .number(number) : .outOfRange
    case .tooManyCounters: return member.role == .read ? .absent : .tooManyCounters
    default: return result
    }
  }

  /// What became of an operation of one visit.
  private var result: Outcome.Result {
    switch kind {
    case .number: .number(number)
    case .created: .created(number)
    case .replayed: .replayed(number)
    case .exists: .exists(number)
    case .outOfRange: .outOfRange
    case .absent: .absent
    case .tooManyCounters: .tooManyCounters
    case .notAnInteger: .notAnInteger
    case .keyReused: .keyReused
    case .unavailable: .unavailable
    }
  }
}
