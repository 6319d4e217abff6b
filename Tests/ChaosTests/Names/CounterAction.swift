/// What a request asks of one counter.
enum CounterAction: Hashable {
  case add(Int64)
  case read
  case set(Int64)
  /// Sets a counter that does not exist.
  case create(Int64)
  case remove

  /// What becomes of a counter that holds a number, or does not exist, and what is answered.
  func carryOut(on value: Int64?) -> (value: Int64?, answer: CounterAnswer) {
    switch self {
    case .add(let amount):
      let sum = (value ?? 0) &+ amount
      return (sum, CounterAnswer(200, sum))
    case .read: return (value, value.map { CounterAnswer(200, $0) } ?? .absent)
    case .set(let number): return (number, CounterAnswer(value == nil ? 201 : 200, number))
    case .create(let number):
      return value.map { ($0, .exists) } ?? (number, CounterAnswer(201, number))
    case .remove: return (nil, value.map { CounterAnswer(200, $0) } ?? .absent)
    }
  }
}

/// What a request is answered.
struct CounterAnswer: Hashable {
  let status: Int
  let number: Int64?

  init(_ status: Int, _ number: Int64? = nil) {
    self.status = status
    self.number = number
  }

  static let absent = CounterAnswer(404)
  static let exists = CounterAnswer(412)
  static let noInteger = CounterAnswer(409)
  static let keyReused = CounterAnswer(422)
}

/// A request as its client saw it.
struct CounterRequest {
  let action: CounterAction
  var idempotencyKey: String?
  let began: ContinuousClock.Instant
  let ended: ContinuousClock.Instant

  /// Nil after 503 or a lost connection: the request may have been carried out all the same.
  let answer: CounterAnswer?

  /// Whether the answer says that it is that of an earlier request.
  var isReplayed = false

  /// Whether the request has the idempotency key of an earlier one that was answered, and another amount.
  var reusesKey = false
}

extension CounterRequest {
  /// A line for a history, with milliseconds before a time.
  func description(at time: ContinuousClock.Instant) -> String {
    let (began, ended) = ((began - time) / .milliseconds(1), (ended - time) / .milliseconds(1))
    let result = answer.map { "\($0.status) \($0.number.map { "\($0)" } ?? "")" } ?? "no answer"
    let repetition = idempotencyKey.map { " key \($0)\(isReplayed ? ", replayed" : "")" } ?? ""
    return "\(began)...\(ended) ms: \(action)\(repetition): \(result)"
  }
}

/// Something that was carried out on a counter once, or perhaps not at all.
struct CounterOperation {
  let action: CounterAction

  /// It was carried out after that.
  let began: ContinuousClock.Instant

  /// Nil if nobody was answered: it was carried out at any time after it began, or never.
  let outcome: Outcome?

  struct Outcome {
    /// It was carried out before that.
    let ended: ContinuousClock.Instant
    let answer: CounterAnswer
  }
}
