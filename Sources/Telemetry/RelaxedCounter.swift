public import Synchronization

/// A number that only grows, such as the requests answered so far. One thread writes it, and every
/// thread may read it.
///
/// Because only one thread writes, adding is a relaxed load and a relaxed store, as cheap as with an
/// ordinary variable; an atomic addition would stall the processor. Relaxed means unordered: a reader
/// that compares two counters must expect either to be ahead of the other.
public struct RelaxedCounter: ~Copyable, Sendable {
  @usableFromInline let value = Atomic<UInt64>(0)

  /// A counter that stands at 0.
  @inlinable
  public init() {}

  /// The sum of all that was added.
  @inlinable
  public var current: UInt64 { value.load(ordering: .relaxed) }

  /// Adds an amount, which must not be negative. Only the thread that owns the counter may.
  @inlinable @inline(__always)
  public func add(_ amount: Int) {
    value.store(current &+ UInt64(truncatingIfNeeded: amount), ordering: .relaxed)
  }
}

/// A number that rises and falls, such as the connections that are open. One thread writes it, and
/// every thread may read it, at the cost and in the order that `RelaxedCounter` explains.
public struct Gauge: ~Copyable, Sendable {
  @usableFromInline let value = Atomic<Int>(0)

  /// A gauge that stands at 0.
  @inlinable
  public init() {}

  /// The present value.
  @inlinable
  public var current: Int { value.load(ordering: .relaxed) }

  /// Replaces the value. Only the thread that owns the gauge may.
  @inlinable @inline(__always)
  public func set(_ amount: Int) {
    value.store(amount, ordering: .relaxed)
  }

  /// Adds an amount, which may be negative. Only the thread that owns the gauge may.
  @inlinable @inline(__always)
  public func add(_ amount: Int) {
    set(current &+ amount)
  }
}
