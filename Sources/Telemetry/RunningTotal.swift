public import Synchronization

/// A number that one thread writes and every thread may read, to be shown to an operator.
///
/// Because only one thread writes, adding is a load and a store, as cheap as with an ordinary
/// variable; an atomic addition would keep the processor from everything else meanwhile.
public struct RunningTotal: ~Copyable, Sendable {
  @usableFromInline let value = Atomic<UInt64>(0)

  /// Nothing so far.
  @inlinable
  public init() {}

  /// What it has come to.
  @inlinable
  public var current: UInt64 { value.load(ordering: .relaxed) }

  /// Adds to it. Only the one thread that writes it may.
  @inlinable @inline(__always)
  public func add(_ amount: Int) {
    set(current &+ UInt64(truncatingIfNeeded: amount))
  }

  /// Makes it something else. Only the one thread that writes it may.
  @inlinable @inline(__always)
  public func set(_ amount: UInt64) {
    value.store(amount, ordering: .relaxed)
  }
}
