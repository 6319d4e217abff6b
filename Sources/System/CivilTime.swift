package import BasicContainers
package import CLinux

extension timespec {
  /// The time since 1970 in UTC (clock_gettime(2), CLOCK_REALTIME).
  package static var wallClock: timespec {
    var time = timespec()
    // Sound: the call fills in the one value it is handed.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return time
  }
}

extension UniqueArray<UInt8> {
  /// Adds a date and time in UTC, in at most 63 bytes.
  ///
  /// - Parameters:
  ///   - seconds: the time since 1970.
  ///   - format: of strftime(3); names of days and months are English, as in the C locale.
  package mutating func append(utc seconds: time_t, _ format: String) {
    var seconds = seconds
    var date = unsafe tm()
    append(addingCount: 64) { output in
      unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
        unsafe buffer.withMemoryRebound(to: CChar.self) { text in
          // Sound: the first call reads one value and fills in the other; the second writes at most
          // as many bytes as there is room for, and says how many, its zero at the end left out.
          unsafe gmtime_r(&seconds, &date)
          initialized = unsafe strftime(text.baseAddress, text.count, format, &date)
        }
      }
    }
  }
}

/// Tells when another second of the day has begun.
package struct WallClock: Sendable {
  private var validUntil = Instant(nanoseconds: .min)

  package init() {}

  /// - Returns: the seconds since 1970 when another one has begun since it was last asked, or nil.
  package mutating func newSecond(_ now: Instant) -> time_t? {
    guard now >= validUntil else { return nil }
    let time = timespec.wallClock
    validUntil = now + Interval(nanoseconds: 1_000_000_000 - Int64(time.tv_nsec))
    return time.tv_sec
  }
}
