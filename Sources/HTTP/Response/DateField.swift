import BasicContainers
import CLinux
import System

/// The Date field, which an origin server with a clock must send (RFC 9110 section 6.6.1), rendered
/// once a second together with the end of the header that follows it in most responses.
struct DateField: ~Copyable {
  /// CR LF, the Date field, and the empty line that ends a header.
  private(set) var endOfHeader = ByteBuffer(minimumCapacity: length)
  private var clock = WallClock()

  /// The time that was written, in seconds since 1970.
  private(set) var seconds: time_t = 0

  /// The size of `endOfHeader`.
  static var length: Int { 41 }

  /// CR LF and the Date field alone.
  var line: Span<UInt8> {
    @_lifetime(borrow self)
    get { endOfHeader.span.extracting(droppingLast: 4) }
  }

  /// Renders the field again when its second is over.
  mutating func refresh(_ now: Instant) {
    if let second = clock.newSecond(now) { write(second) }
  }

  /// Writes seconds since 1970 as an IMF-fixdate (RFC 9110 section 5.6.7).
  mutating func write(_ seconds: time_t) {
    self.seconds = seconds
    endOfHeader.removeAll(keepingCapacity: true)
    endOfHeader.append(utc: seconds, "\r\nDate: %a, %d %b %Y %H:%M:%S GMT\r\n\r\n")
  }
}
