/// RFC 9112 section 9: how long a connection stays.
extension RequestTable {
  static let persistence: [RequestCase] =
    [
      RequestCase("9112 9.3", "HTTP/1.1", .visit, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      RequestCase("9112 9.3", "HTTP/1.1 with keep-alive", .visit, fields: "Connection: keep-alive"),
      RequestCase("9112 9.3", "an unknown option", .visit, fields: "Connection: te, upgrade"),
      RequestCase("9112 9.3", "an empty option", .visit, fields: "Connection:"),
      RequestCase("9112 9.3", "closed is another option", .visit, fields: "Connection: closed"),
      RequestCase("9112 9.3", "xclose is another option", .visit, fields: "Connection: xclose"),
      RequestCase("9112 9.3", "close in another field", .visit, fields: "X-Connection: close"),
      RequestCase(
        "9112 9.3", "close of the proxy's", .visit, fields: "Proxy-Connection: close"),
      RequestCase(
        "9112 9.3", "HTTP/1.0 with keep-alive in capitals", .visit,
        "GET / HTTP/1.0\r\nCONNECTION: KEEP-ALIVE\r\n\r\n"),
      RequestCase(
        "9112 9.3", "HTTP/1.0 with keep-alive in a list", .visit,
        "GET / HTTP/1.0\r\nConnection: te,keep-alive\r\n\r\n"),
      RequestCase(
        "9112 9.3", "HTTP/1.0 with an option that begins like it", .lastVisit,
        "GET / HTTP/1.0\r\nConnection: keep-alives\r\n\r\n"),
      RequestCase(
        "9112 9.3", "HTTP/1.0 with both", .lastVisit,
        "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"),
      RequestCase(
        "9112 9.3", "HTTP/1.0 and a Keep-Alive field only", .lastVisit,
        "GET / HTTP/1.0\r\nKeep-Alive: timeout=5\r\n\r\n"),
      RequestCase(
        "9112 9.3", "HTTP/1.0 kept, then HTTP/1.0", .answers([200, 200], .closed, visits: 2),
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n"),
      RequestCase(
        "9112 9.3", "HTTP/1.0 kept, then HTTP/1.1", .answers([200, 200], .kept, visits: 2),
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      RequestCase(
        "9112 9.3", "a body that nobody wants is read past",
        .answers([405, 200], .kept, visits: 1),
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nGET GET / HTTP/1.1\r\nHost: x\r\n\r\n"
      ),

      RequestCase(
        "9112 9.3.2", "ten at once", .answers(.init(repeating: 200, count: 10), .kept, visits: 10),
        String(repeating: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", count: 10)),
      RequestCase(
        "9112 9.3.2", "of all kinds at once",
        .answers([200, 404, 200, 405, 200, 200], .kept, visits: 3),
        "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /nope HTTP/1.1\r\nHost: x\r\n\r\n"
          + "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\n\r\n"
          + "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      RequestCase(
        "9112 9.3.2", "bodies of all kinds at once", .answers([200, 200, 200], .kept, visits: 3),
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
          + "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
          + "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
      RequestCase(
        "9112 9.3.2", "a malformed one among them", .answers([200, 200, 400], .closed, visits: 2),
        "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"
          + "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      RequestCase(
        "9112 9.3.2", "ambiguous framing among them", .answers([200, 400], .closed, visits: 1),
        "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nContent-Length: 27\r\n"
          + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      RequestCase(
        "9112 9.3.2", "a malformed chunk among them", .answers([200, 400], .closed, visits: 1),
        "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n"
          + "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"
      ),

      RequestCase(
        "9112 9.6", "a request after the last", .answers([200], .closed, visits: 1),
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      RequestCase(
        "9112 9.6", "a request after HTTP/1.0's", .answers([200], .closed, visits: 1),
        "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n"),
      RequestCase(
        "9112 9.6", "the second is the last", .answers([200, 200], .closed, visits: 2),
        "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
          + "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      RequestCase(
        "9112 9.6", "close in a second field", .lastVisit,
        fields: "Connection: keep-alive", "Connection: close"),
      RequestCase(
        "9112 9.6", "close and a body", .lastVisit,
        fields: "Connection: close", "Content-Length: 3", body: "abc"),
      RequestCase(
        "9112 9.6", "close of what is not there", .refused(404),
        "GET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
      RequestCase(
        "9112 9.6", "close of another method", .refused(405),
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    ]
    + [
      "close", "CLOSE", "Close", "keep-alive, close", "close, keep-alive", "te,close",
      "a , close\t",
      ",close", "close,",
    ].map { value in
      RequestCase("9112 9.6", "Connection: \(value)", .lastVisit, fields: "Connection: \(value)")
    }
}
