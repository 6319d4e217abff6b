/// RFC 9112 section 2: how a message is told from what is none.
extension RequestTable {
  static let messages: [RequestCase] = [
    RequestCase("9112 2.1", "a request", .visit, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.1", "no field at all in HTTP/1.0", .lastVisit, "GET / HTTP/1.0\r\n\r\n"),

    RequestCase(
      "9112 2.2", "an empty line first", .visit, "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.2", "three empty lines first", .visit,
      "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.2", "an empty line between two", .answers([200, 200], .kept, visits: 2),
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.2", "an empty line after a body", .answers([200, 200], .kept, visits: 2),
      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"
        + "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.2", "an empty line of a bare LF", .refused(400),
      "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.2", "an empty line of a bare CR", .refused(400),
      "\rGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase("9112 2.2", "bare LF everywhere", .refused(400), "GET / HTTP/1.1\nHost: x\n\n"),
    RequestCase(
      "9112 2.2", "bare LF after the request line", .refused(400),
      "GET / HTTP/1.1\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.2", "bare LF after a field", .refused(400),
      "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"),
    RequestCase(
      "9112 2.2", "bare LF for the empty line", .refused(400),
      "GET / HTTP/1.1\r\nHost: x\r\n\n"),
    RequestCase(
      "9112 2.2", "LF CR for the empty line", .refused(400),
      "GET / HTTP/1.1\r\nHost: x\r\n\n\r"),
    RequestCase(
      "9112 2.2", "a bare CR in a field's value", .refused(400), fields: "A: b\rc"),
    RequestCase(
      "9112 2.2", "a bare CR before the end of a line", .refused(400), fields: "A: b\r"),
    RequestCase(
      "9112 2.2", "a bare CR after the request line", .refused(400),
      "GET / HTTP/1.1\rHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.2", "white space before the first field", .refused(400),
      "GET / HTTP/1.1\r\n Host: x\r\n\r\n"),
    RequestCase(
      "9112 2.2", "a tab before the first field", .refused(400),
      "GET / HTTP/1.1\r\n\tA: b\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.2", "white space for the first field", .refused(400),
      "GET / HTTP/1.1\r\n \r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.2", "the beginning of TLS", .refused(400), "\u{16}\u{3}\u{1}\u{2}\0\r\n\r\n"),
    RequestCase("9112 2.2", "an answer", .refused(400), "HTTP/1.1 200 OK\r\nHost: x\r\n\r\n"),
    RequestCase("9112 2.2", "a command of Redis", .refused(400), "*1\r\n$4\r\nPING\r\n"),
    RequestCase("9112 2.2", "a NUL first", .refused(400), "\0GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.2", "a byte order mark first", .refused(400),
      "\u{FEFF}GET / HTTP/1.1\r\nHost: x\r\n\r\n"),

    RequestCase(
      "9112 2.3", "a later minor version", .visit, "GET / HTTP/1.2\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.3", "the last minor version", .visit, "GET / HTTP/1.9\r\nHost: x\r\n\r\n"),
    RequestCase("9112 2.3", "HTTP/2.0", .refused(505), "GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
    RequestCase("9112 2.3", "HTTP/3.0", .refused(505), "GET / HTTP/3.0\r\nHost: x\r\n\r\n"),
    RequestCase("9112 2.3", "HTTP/0.9", .refused(505), "GET / HTTP/0.9\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.3", "HTTP/2's preface", .refused(400), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    RequestCase(
      "9112 2.3", "a version in small letters", .refused(400),
      "GET / http/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.3", "a minor version that is no digit", .refused(400),
      "GET / HTTP/1.x\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.3", "a minor version of two digits", .refused(400),
      "GET / HTTP/1.10\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.3", "a minor version with a zero before it", .refused(400),
      "GET / HTTP/1.01\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.3", "a major version of two digits", .refused(400),
      "GET / HTTP/11.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.3", "a version without a point", .refused(400),
      "GET / HTTP/11\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.3", "a version with a comma", .refused(400), "GET / HTTP/1,1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.3", "a version without a minor one", .refused(400),
      "GET / HTTP/1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.3", "a negative version", .refused(400), "GET / HTTP/-1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.3", "another protocol", .refused(400), "GET / HTTPS/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 2.3", "another protocol of as many letters", .refused(400),
      "GET / RTSP/1.0\r\nHost: x\r\n\r\n"),
  ]
}
