import Glibc

/// The time of a log line.
enum Timestamp {
  /// Now, in UTC and to the millisecond: `2026-01-02T03:04:05.678Z` (RFC 3339).
  static var now: String {
    var time = timespec()
    var date = unsafe tm()
    // Sound: each call fills in the one value it is handed; the second reads the other.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    unsafe gmtime_r(&time.tv_sec, &date)
    let day =
      unsafe "\(digits(date.tm_year + 1900, 4))-\(digits(date.tm_mon + 1))-\(digits(date.tm_mday))"
    let clock = unsafe "\(digits(date.tm_hour)):\(digits(date.tm_min)):\(digits(date.tm_sec))"
    return "\(day)T\(clock).\(digits(Int32(time.tv_nsec / 1_000_000), 3))Z"
  }

  private static func digits(_ number: Int32, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}
