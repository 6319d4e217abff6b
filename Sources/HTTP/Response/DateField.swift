import BasicContainers
import CLinux
import System

/// The Date field, which an origin server with a clock must send (RFC 9110 section 6.6.1), made
/// once a second.
struct DateField: ~Copyable {
  /// The whole line, its CR LF before it instead of after it.
  private(set) var line = ByteBuffer()
  private var clock = WallClock()

  /// How often it was made.
  private(set) var edition: UInt64 = 0

  private static let days: InlineArray<7, StaticString> = [
    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat",
  ]
  private static let months: InlineArray<12, StaticString> = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Makes the line again when its second is over.
  mutating func refresh(_ now: Instant) {
    if let second = clock.newSecond(now) { write(second) }
  }

  /// Writes seconds since 1970 as an IMF-fixdate (RFC 9110 section 5.6.7).
  mutating func write(_ seconds: time_t) {
    var seconds = seconds
    var date = unsafe tm()
    // Sound: the call reads the one value and fills in the other.
    _ = unsafe gmtime_r(&seconds, &date)
    edition &+= 1
    line.removeAll(keepingCapacity: true)
    line.append("\r\nDate: ")
    line.append(Self.days[Int(unsafe date.tm_wday)])
    line.append(", ")
    append(twoDigits: unsafe date.tm_mday)
    line.append(" ")
    line.append(Self.months[Int(unsafe date.tm_mon)])
    line.append(" ")
    line.append(decimal: 1900 + Int64(unsafe date.tm_year))
    line.append(" ")
    append(twoDigits: unsafe date.tm_hour)
    line.append(":")
    append(twoDigits: unsafe date.tm_min)
    line.append(":")
    append(twoDigits: unsafe date.tm_sec)
    line.append(" GMT")
  }

  private mutating func append(twoDigits number: CInt) {
    line.append(decimal: Int64(number / 10))
    line.append(decimal: Int64(number % 10))
  }
}
