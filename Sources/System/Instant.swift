import CLinux

/// A moment on the monotonic clock, in nanoseconds since some fixed moment before the program
/// started (clock_gettime(2), CLOCK_MONOTONIC).
public struct Instant: Comparable, Sendable, BitwiseCopyable {
  /// Nanoseconds since the clock's origin.
  public var nanoseconds: Int64

  /// The moment that many nanoseconds after the clock's origin.
  @inlinable
  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// The clock's value now. The clock goes on while the machine is suspended, as time does in Redis.
  public static var now: Instant {
    var time = timespec()
    // Sound: the call fills in the one value it is handed.
    unsafe clock_gettime(CLOCK_BOOTTIME, &time)
    return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  /// A moment that never comes.
  @inlinable
  public static var never: Instant { Instant(nanoseconds: .max) }

  /// Which of two is the earlier.
  @inlinable
  public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

  /// The moment a span of time later.
  @inlinable
  public static func + (left: Self, right: Interval) -> Self {
    Instant(nanoseconds: left.nanoseconds + right.nanoseconds)
  }

  /// The time that lies between two moments.
  @inlinable
  public static func - (left: Self, right: Self) -> Interval {
    Interval(nanoseconds: left.nanoseconds - right.nanoseconds)
  }
}

/// A span of time in whole nanoseconds; a number, where Swift's `Duration` is two.
public struct Interval: Comparable, Sendable, BitwiseCopyable {
  /// Its length.
  public var nanoseconds: Int64

  /// That many nanoseconds.
  @inlinable
  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// That many milliseconds.
  @inlinable
  public static func milliseconds(_ count: Int64) -> Interval {
    Interval(nanoseconds: count * 1_000_000)
  }

  /// That many seconds.
  @inlinable
  public static func seconds(_ count: Int64) -> Interval {
    Interval(nanoseconds: count * 1_000_000_000)
  }

  /// Its length in seconds.
  public var seconds: Double { Double(nanoseconds) / 1e9 }

  /// Which of two is the shorter.
  @inlinable
  public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

  /// A whole fraction of it.
  @inlinable
  public static func / (left: Self, right: Int64) -> Self {
    Interval(nanoseconds: left.nanoseconds / right)
  }

  /// A multiple of it.
  @inlinable
  public static func * (left: Self, right: Int64) -> Self {
    Interval(nanoseconds: left.nanoseconds * right)
  }

  /// Two spans, one after the other.
  @inlinable
  public static func + (left: Self, right: Self) -> Self {
    Interval(nanoseconds: left.nanoseconds + right.nanoseconds)
  }
}
