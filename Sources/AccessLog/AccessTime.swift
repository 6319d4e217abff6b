import BasicContainers
import CLinux
import System

/// The time of the day as the access log has it, made once a second.
struct AccessTime: ~Copyable {
  private(set) var text = UniqueArray<UInt8>()
  private var clock = WallClock()

  /// Makes the text again when its second is over.
  mutating func refresh(_ now: Instant, _ format: AccessLog.Format) {
    if let second = clock.newSecond(now) { write(second, format) }
  }

  /// Writes seconds since 1970: `06/Nov/1994:08:49:37 +0000`, or `1994-11-06T08:49:37Z` (RFC 3339).
  mutating func write(_ seconds: time_t, _ format: AccessLog.Format) {
    text.removeAll(keepingCapacity: true)
    text.append(
      utc: seconds, format == .json ? "%Y-%m-%dT%H:%M:%SZ" : "%d/%b/%Y:%H:%M:%S +0000")
  }
}
