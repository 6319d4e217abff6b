package import System

/// How much a client may send, and how long it may take over it.
package struct Limits: Sendable {
  /// The longest request target, in bytes; a longer one is answered 414. RFC 9112 section 3 asks
  /// for 8,000 at least, request line and all. This one has room for a logo of 8,192 bytes, percent-encoded.
  package var target = 12_288

  /// The longest header with its request line, in bytes; a longer one is answered 431.
  package var header = 16_384

  /// The most header fields; more are answered 431.
  package var fields = 100

  /// The longest method that could mean something, in bytes; a longer one is answered 501.
  package var method = 32

  /// The longest request body, in bytes; a longer one is answered 413. Bodies are kept only for routes
  /// that ask for them, up to the limit of the route.
  package var body = 1 << 20

  /// The most connections that are open at a time. For each further one, the connection that has been
  /// idle longest is closed; when there is none, it waits in the backlog.
  package var connections = Int.max

  /// The most requests of a connection that wait for their responses; further ones wait unread.
  package var pipelined = 128

  /// The most bytes of responses that a client leaves unread before its requests wait unread.
  package var unsent = 1 << 15

  /// The most bytes that are kept for all clients together: unfinished requests, unsent output and
  /// held responses. Beyond it, a connection that would have to keep more is reset; requests that
  /// come whole and responses that are read need nothing to be kept, and are served on.
  package var bufferedBytes = 64 << 20

  /// From the first byte of a request to the end of its header; then 408.
  package var headerTime = Interval.seconds(10)

  /// From the end of a header to the end of the body; then 408.
  package var bodyTime = Interval.seconds(30)

  /// From the last response of a connection to the first byte of its next request; then it is closed.
  package var idleTime = Interval.seconds(620)

  /// From the last response of a connection, or its beginning, to the moment from which it may be closed
  /// for another one.
  package var evictionAge = Interval.seconds(5)

  /// Without a byte read by a client that has a response to read; then its connection is reset.
  package var writeTime = Interval.seconds(30)

  /// From the last byte of a last response to the client's own close; then the connection is closed.
  package var lingerTime = Interval.seconds(2)

  /// The defaults.
  package init() {}
}
