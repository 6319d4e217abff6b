import BasicContainers
import CLinux
import System

/// The Date field, which an origin server with a clock must send (RFC 9110 section 6.6.1), rendered
/// once a second together with the end of the header that follows it in most responses.
struct DateField: ~Copyable {
  /// CR LF, the Date field, and the empty line that ends a header.
  private(set) var endOfHeader = ByteBuffer(minimumCapacity: length)
  private var clock = WallClock()

  /// The size of `endOfHeader`.
  static var length: Int { 41 }

  /// CR LF and the Date field alone.
  var line: Span<UInt8> {
    @_lifetime(borrow self)
    get { endOfHeader.span.extracting(droppingLast: 4) }
  }

  private static let days: InlineArray<7, StaticString> = [
    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat",
  ]
  private static let months: InlineArray<12, StaticString> = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Renders the field again when its second is over.
  mutating func refresh(_ now: Instant) {
    if let second = clock.newSecond(now) { write(second) }
  }

  /// Writes seconds since 1970 as an IMF-fixdate (RFC 9110 section 5.6.7).
  mutating func write(_ seconds: time_t) {
    var seconds = seconds
    var date = unsafe tm()
    // Sound: the call reads the one value and fills in the other.
    _ = unsafe gmtime_r(&seconds, &date)
    endOfHeader.removeAll(keepingCapacity: true)
    endOfHeader.append("\r\nDate: ")
    endOfHeader.append(Self.days[Int(unsafe date.tm_wday)])
    endOfHeader.append(", ")
    append(twoDigits: unsafe date.tm_mday)
    endOfHeader.append(" ")
    endOfHeader.append(Self.months[Int(unsafe date.tm_mon)])
    endOfHeader.append(" ")
    endOfHeader.append(decimal: 1900 + Int64(unsafe date.tm_year))
    endOfHeader.append(" ")
    append(twoDigits: unsafe date.tm_hour)
    endOfHeader.append(":")
    append(twoDigits: unsafe date.tm_min)
    endOfHeader.append(":")
    append(twoDigits: unsafe date.tm_sec)
    endOfHeader.append(" GMT\r\n\r\n")
  }

  private mutating func append(twoDigits number: CInt) {
    endOfHeader.append(decimal: Int64(number / 10))
    endOfHeader.append(decimal: Int64(number % 10))
  }
}
