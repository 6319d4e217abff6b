package import CLinux

/// The time of the day, looked at once a second.
package struct WallClock: Sendable {
  private var validUntil = Instant(nanoseconds: .min)

  package init() {}

  /// - Returns: the seconds since 1970 when another one has begun since it was last asked, or nil.
  package mutating func newSecond(_ now: Instant) -> time_t? {
    guard now >= validUntil else { return nil }
    var time = timespec()
    // Sound: the call fills in the one value it is handed.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    validUntil = now + Interval(nanoseconds: 1_000_000_000 - Int64(time.tv_nsec))
    return time.tv_sec
  }
}
