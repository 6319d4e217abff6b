import System

/// How long to wait for a reply before the connection counts as broken: a retransmission timer as TCP
/// has one (RFC 6298), fed with the time that replies took.
///
/// The wait is the smoothed round trip and four times its variance, or `margin` if that is longer than the
/// latter. It doubles each time it was too short, until a reply tells how long one takes. So Redis
/// is reached however slow it is, and the slower it gets, the less often it is asked again.
///
/// A wait that is too short costs a connection, a greeting and a batch that is sent again; TCP itself
/// repeats lost segments. So `margin` is a quarter of the limit, between 250 ms and 1 s: as long as
/// that leaves time for a second try.
struct RetryTimer {
  private let margin: Interval
  private let limit: Interval
  private var roundTrip: (smoothed: Interval, variance: Interval)?

  /// How long to wait now.
  private(set) var timeout: Interval

  /// - Parameter limit: the longest wait. A later reply is useless: its visits have expired.
  init(limit: Interval) {
    margin = min(limit, min(.seconds(1), max(.milliseconds(250), limit / 4)))
    self.limit = limit
    timeout = margin
  }

  /// Whether it cannot become longer.
  var isAtLimit: Bool { timeout == limit }

  /// Notes how long a reply took.
  mutating func recordReply(after sample: Interval) {
    guard let (smoothed, variance) = roundTrip else {
      return setRoundTrip(sample, variance: sample / 2)
    }
    let deviation = Interval(nanoseconds: abs(sample.nanoseconds - smoothed.nanoseconds))
    setRoundTrip((smoothed * 7 + sample) / 8, variance: (variance * 3 + deviation) / 4)
  }

  /// Notes how long connecting took. The kernel answers for Redis there, and a fast answer does not
  /// tell how long Redis takes; a slow one makes the wait for its first reply longer.
  mutating func recordConnecting(after sample: Interval) {
    if roundTrip == nil { timeout = max(timeout, min(sample * 3, limit)) }
  }

  /// Notes that nothing came in time.
  mutating func recordExpiry() {
    timeout = min(timeout * 2, limit)
  }

  private mutating func setRoundTrip(_ smoothed: Interval, variance: Interval) {
    roundTrip = (smoothed, variance)
    timeout = min(smoothed + max(variance * 4, margin), limit)
  }
}
