import System

/// A counter, as its index among the keys that the loop counts under.
package struct CounterID: Equatable, Sendable, BitwiseCopyable {
  let index: UInt32

  /// The counter of the key at an index.
  package init(index: UInt32) {
    self.index = index
  }

  /// The counter of `/`, which is stored under `hits`.
  package static var hits: CounterID { CounterID(index: 0) }
}

/// A visit that waits for its number.
struct Visit: Sendable, BitwiseCopyable {
  /// Returned to the caller with the outcome.
  let ticket: UInt128

  /// The visit is answered by then, with or without a number.
  let deadline: Instant

  let counter: CounterID

  /// How much the visit adds; 0 only reads.
  let amount: Int32
}

/// The answer to a visit.
package struct Outcome: Sendable, BitwiseCopyable {
  /// The ticket that the visit was counted with.
  package let ticket: UInt128

  /// The number of the visit; nil when Redis did not return it in time or refused the counter.
  package let number: Int64?
}
