/// RFC 9112 section 7.1: the chunked coding.
extension RequestTable {
  static let chunks: [RequestCase] =
    accepted.map { name, body in
      RequestCase(
        "9112 7.1", name, .visit, fields: "Transfer-Encoding: chunked", body: body)
    }
    + refused.map { name, body in
      RequestCase(
        "9112 7.1", name, .refused(400), fields: "Transfer-Encoding: chunked", body: body)
    }
    + tooLong.map { size in
      RequestCase(
        "9112 7.1", "a chunk of \(size)", .refused(413), fields: "Transfer-Encoding: chunked",
        body: "\(size)\r\nab\r\n0\r\n\r\n")
    }

  private static let accepted = [
    ("no chunk", "0\r\n\r\n"),
    ("a chunk", "2\r\nab\r\n0\r\n\r\n"),
    ("chunks", "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
    ("a size in small letters", "a\r\n0123456789\r\n0\r\n\r\n"),
    ("a size in capitals", "A\r\n0123456789\r\n0\r\n\r\n"),
    ("a size with zeros first", "0002\r\nab\r\n000\r\n\r\n"),
    ("a size with many zeros first", "\(String(repeating: "0", count: 40))2\r\nab\r\n0\r\n\r\n"),
    ("data that look like the last chunk", "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"),
    ("data that look like a request", "1b\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n\r\n0\r\n\r\n"),
    ("an extension", "2;a=b\r\nab\r\n0\r\n\r\n"),
    ("an extension without a value", "2;a\r\nab\r\n0;b\r\n\r\n"),
    ("an extension in white space", "2 ; a = b\r\nab\r\n0\r\n\r\n"),
    ("an extension in quotes", "2;a=\"b;c\"\r\nab\r\n0\r\n\r\n"),
    ("a quote in quotes", "2;a=\"b\\\"c\"\r\nab\r\n0\r\n\r\n"),
    ("two extensions", "2;a=b;c=d\r\nab\r\n0\r\n\r\n"),
    ("a trailer field", "0\r\nA: b\r\n\r\n"),
    ("trailer fields", "0\r\nA: b\r\nC:\r\n\r\n"),
    ("a trailer that would change the framing", "0\r\nContent-Length: 5\r\n\r\n"),
    ("a trailer that would close", "0\r\nConnection: close\r\n\r\n"),
    ("a second Host in the trailer", "0\r\nHost: y\r\n\r\n"),
  ]

  private static let refused = [
    ("no size", "\r\nab\r\n0\r\n\r\n"),
    ("a size that is no number", "zz\r\nab\r\n0\r\n\r\n"),
    ("a size with a minus", "-1\r\nab\r\n0\r\n\r\n"),
    ("a size with a plus", "+2\r\nab\r\n0\r\n\r\n"),
    ("a size with 0x", "0x2\r\nab\r\n0\r\n\r\n"),
    ("a size with h", "2h\r\nab\r\n0\r\n\r\n"),
    ("a size with an underscore", "0_2\r\nab\r\n0\r\n\r\n"),
    ("a size after a space", " 2\r\nab\r\n0\r\n\r\n"),
    ("a size before a space", "2 \r\nab\r\n0\r\n\r\n"),
    ("a size before a tab", "2\t\r\nab\r\n0\r\n\r\n"),
    ("a size with a space in it", "0 2\r\nab\r\n0\r\n\r\n"),
    ("a size before a vertical tab", "2\u{B}\r\nab\r\n0\r\n\r\n"),
    ("a size before a NUL", "2\0\r\nab\r\n0\r\n\r\n"),
    ("a size before a comma", "2,a\r\nab\r\n0\r\n\r\n"),
    ("an extension without a size", ";a\r\nab\r\n0\r\n\r\n"),
    ("bare LF after a size", "2\nab\r\n0\r\n\r\n"),
    ("bare CR after a size", "2\rab\r\n0\r\n\r\n"),
    ("two CRs after a size", "2\r\r\nab\r\n0\r\n\r\n"),
    ("bare LF in an extension", "2;a\nab\r\n0\r\n\r\n"),
    ("bare CR in an extension", "2;a\rb\r\nab\r\n0\r\n\r\n"),
    ("a NUL in an extension", "2;a\0\r\nab\r\n0\r\n\r\n"),
    ("a line in a quoted extension", "2;a=\"\r\n\"\r\nab\r\n0\r\n\r\n"),
    ("bare LF after a chunk", "2\r\nab\n0\r\n\r\n"),
    ("bare CR after a chunk", "2\r\nab\r0\r\n\r\n"),
    ("nothing after a chunk", "2\r\nab0\r\n\r\n"),
    ("a chunk longer than it says", "2\r\nabc\r\n0\r\n\r\n"),
    ("a chunk shorter than it says", "3\r\nab\r\n0\r\n\r\n"),
    ("a space after a chunk", "2\r\nab \r\n0\r\n\r\n"),
    ("bare LF after the last chunk", "0\n\n"),
    ("bare LF at the end", "0\r\n\n"),
    ("bare CR at the end", "0\r\n\rx"),
    ("a trailer without colon", "0\r\nA\r\n\r\n"),
    ("a trailer without name", "0\r\n: b\r\n\r\n"),
    ("a trailer with a space before the colon", "0\r\nA : b\r\n\r\n"),
    ("a folded trailer", "0\r\nA: b\r\n c\r\n\r\n"),
    ("bare LF after a trailer", "0\r\nA: b\n\r\n"),
    ("a NUL in a trailer", "0\r\nA: \0\r\n\r\n"),
    ("a request where the trailer stands", "0\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
  ]

  private static let tooLong = [
    "100001", "7fffffff", "80000000", "ffffffff", "100000000", "100000002", "7fffffffffffffff",
    "8000000000000000", "ffffffffffffffff", "fffffffffffffffe", "10000000000000000",
    "10000000000000002", "ffffffffffffffffffffffffffffffff",
  ]
}
