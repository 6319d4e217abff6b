/// RFC 9112 section 3: the request line.
extension RequestTable {
  static let requestLines: [RequestCase] = [
    RequestCase("9112 3", "no version", .refused(400), "GET /\r\nHost: x\r\n\r\n"),
    RequestCase("9112 3", "no version after a space", .refused(400), "GET / \r\nHost: x\r\n\r\n"),
    RequestCase("9112 3", "nothing but a method", .refused(400), "GET\r\nHost: x\r\n\r\n"),
    RequestCase("9112 3", "a space first", .refused(400), " GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "two spaces after the method", .refused(400),
      "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "two spaces after the target", .refused(400),
      "GET /  HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase("9112 3", "a space last", .refused(400), "GET / HTTP/1.1 \r\nHost: x\r\n\r\n"),
    RequestCase("9112 3", "a tab last", .refused(400), "GET / HTTP/1.1\t\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "a fourth word", .refused(400), "GET / HTTP/1.1 x\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "a second target", .refused(400), "GET / /health HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "a tab after the method", .refused(400), "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "a tab after the target", .refused(400), "GET /\tHTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "a vertical tab after the method", .refused(400),
      "GET\u{B}/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "a form feed after the target", .refused(400),
      "GET /\u{C}HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "a CR after the method", .refused(400), "GET\r/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "a CR after the target", .refused(400), "GET /\rHTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "two CRs at its end", .refused(400), "GET / HTTP/1.1\r\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "a second request line", .refused(400),
      "GET / HTTP/1.1\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),

    RequestCase("9112 3.1", "no method", .refused(400), "/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.1", "a method that is no token", .refused(400), "G@T / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.1", "a method with a colon", .refused(400), "GET: / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.1", "a method in quotes", .refused(400), "\"GET\" / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.1", "a NUL in the method", .refused(400), "GE\0T / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.1", "a method of other than ASCII", .refused(400),
      "GÉT / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.1", "a method in small letters is another", .answered(405),
      "get / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.1", "a method in mixed letters is another", .answered(405),
      "Get / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.1", "a method that begins like another", .answered(405),
      "GETS / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.1", "a method of every kind of token character", .answered(405),
      "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\nHost: x\r\n\r\n"),
  ]

  /// RFC 9110 section 9: what a method asks for.
  static let methods: [RequestCase] = [
    RequestCase("9110 9.3.2", "HEAD", .visit, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9110 9.3.2", "HEAD of a probe", .answered(200), "HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9110 9.3.2", "HEAD of nothing", .answered(404), "HEAD /nope HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase("9110 9.3.3", "POST", .answered(405), "POST / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9110 9.3.4", "PUT with a body", .answered(405),
      "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
    RequestCase("9110 9.3.5", "DELETE", .answered(405), "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase("9110 9.3.8", "TRACE", .answered(405), "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase("9110 9.3.7", "OPTIONS", .answered(200), "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9110 9.3.7", "OPTIONS with a body", .answered(200),
      "OPTIONS / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
    RequestCase(
      "9110 9.1", "an unknown method", .answered(405), "BREW / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9110 9.1", "an unknown method of an unknown path", .answered(404),
      "BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n"),
  ]
}
