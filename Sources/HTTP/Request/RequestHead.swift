/// How the length of a request's body is told (RFC 9112 section 6).
enum BodyFraming: Equatable, Sendable, BitwiseCopyable {
  /// There is none.
  case none

  /// Content-Length: that many bytes, at least one.
  case length(Int)

  /// Transfer-Encoding: chunked.
  case chunked
}

/// What a request line asks for (RFC 9112 section 3.2), as ranges of the parsed bytes.
enum Target: Equatable, Sendable {
  /// A path, percent-encoded, and what stands behind its question mark, which may be empty.
  case path(Range<Int>, query: Range<Int>)

  /// `*`: the server as a whole.
  case server
}

/// A request line and its header fields, parsed.
struct RequestHead: Equatable, Sendable {
  var method: Method
  var target: Target

  /// Whether the path consists of letters, digits, and `/-._` only.
  let hasPlainPath: Bool

  /// Whether there is more than one Accept field.
  let hasSeveralAccepts: Bool

  /// The number after `HTTP/1.`; what is higher than 1 is spoken to as 1.
  var minorVersion: UInt8

  /// Whether the client wants to keep the connection (RFC 9112 section 9.3).
  var isPersistent: Bool

  var body: BodyFraming

  /// Whether the client waits for a `100 Continue` before it sends the body (RFC 9110 section
  /// 10.1.1).
  var expectsContinue: Bool

  /// The value of the first Accept field with the blanks around it; empty without one.
  let accept: Range<Int>

  /// How many bytes the head took, empty lines before and after it included.
  var length: Int
}
