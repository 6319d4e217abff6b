import CLinux
import System

/// The time of the day, looked at once a second.
struct WallClock: Sendable {
  private var validUntil = Instant(nanoseconds: .min)

  /// - Returns: the seconds since 1970 when another one has begun since it was last asked, or nil.
  mutating func newSecond(_ now: Instant) -> time_t? {
    guard now >= validUntil else { return nil }
    let time = timespec.wallClock
    validUntil = now + Interval(nanoseconds: 1_000_000_000 - Int64(time.tv_nsec))
    return time.tv_sec
  }
}
