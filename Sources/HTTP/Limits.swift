public import EventLoop

/// How much a client may send, and how long it may take over it.
public struct Limits: Sendable {
  /// The longest request target, in bytes; a longer one is answered 414. RFC 9112 section 3 asks
  /// for 8,000 at least, request line and all.
  public var target = 8192

  /// The longest header with its request line, in bytes; a longer one is answered 431.
  public var header = 16_384

  /// The most header fields; more are answered 431.
  public var fields = 100

  /// The longest method that could mean something, in bytes; a longer one is answered 501.
  public var method = 32

  /// The longest request body, in bytes, read past and thrown away; a longer one is answered 413.
  public var body = 1 << 20

  /// The most connections that are open at a time; the next ones wait in the backlog.
  public var connections = Int.max

  /// The most requests of one connection that wait for their answers; the rest waits unread.
  public var pipelined = 128

  /// The most bytes of answers that wait for one slow reader before its requests wait unread.
  public var unsent = 1 << 15

  /// From the first byte of a request to the end of its header; then 408.
  public var headerTime = Interval.seconds(10)

  /// From the end of a header to the end of the body; then 408.
  public var bodyTime = Interval.seconds(30)

  /// Between two requests of a connection; then it is closed.
  public var idleTime = Interval.seconds(60)

  /// Without a byte read by a client that has an answer to read; then it is reset.
  public var writeTime = Interval.seconds(30)

  /// From the last byte of a last answer to the client's own close; then it is closed.
  public var lingerTime = Interval.seconds(2)

  /// The defaults.
  public init() {}
}
