import System

/// What a visit does with its counter.
package enum Action: Equatable, Sendable, BitwiseCopyable {
  /// Adds 1.
  case hit
  /// Returns the number.
  case read
  /// Adds a number other than 0.
  case add(Int64)
  /// Adds a number unless that was done before under the same idempotency key, whose record is kept under
  /// a key in Redis.
  case addOnce(Int64, record: KeyID)
  /// Sets the number.
  case set(Int64)
  /// Sets the number of a counter that does not exist.
  case create(Int64)
  /// Removes the counter.
  case remove
}

/// A visit that waits for its number. It refers to the keys of its counter and of its record.
struct Visit: Sendable, BitwiseCopyable {
  /// Returned to the caller with the outcome.
  let ticket: UInt128

  /// The visit is answered by then, with or without a number.
  let deadline: Instant

  let counter: KeyID
  let action: Action
}

/// The answer to a visit.
package struct Outcome: Sendable, BitwiseCopyable {
  /// The ticket that the visit was counted with.
  package let ticket: UInt128

  package let result: Result

  /// What became of a visit.
  package enum Result: Equatable, Sendable, BitwiseCopyable {
    /// The visit was counted, the counter was read or set, or removed with this last number.
    case number(Int64)
    /// The same, and the counter did not exist before.
    case created(Int64)
    /// The idempotency key was used before, for the same: this is the number of that time.
    case replayed(Int64)
    /// The counter to be read or removed does not exist.
    case absent
    /// The counter to be created exists.
    case exists(Int64)
    /// There are as many counters as may be, and this one is none of them.
    case tooManyCounters
    /// The total would leave 64 bits.
    case outOfRange
    /// The key in Redis holds something else than an integer.
    case notAnInteger
    /// The idempotency key was used before, for another amount.
    case keyReused
    /// Redis did not answer in time. Whether the visit was counted is not known.
    case unavailable
  }

  /// The number of the visit, if there is one.
  package var number: Int64? { result.value }
}

extension Outcome.Result {
  /// The number, if there is one.
  package var value: Int64? {
    switch self {
    case .number(let number), .created(let number), .replayed(let number): number
    default: nil
    }
  }
}
