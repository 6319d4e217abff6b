/// RFC 9112 sections 6.1 and 6.3: Transfer-Encoding, alone and against Content-Length.
extension RequestTable {
  static let codings: [RequestCase] =
    [
      RequestCase(
        "9112 6.1", "chunked in capitals", .visit, fields: "TRANSFER-ENCODING: Chunked",
        body: empty),
      RequestCase(
        "9112 6.1", "chunked after white space", .visit, fields: "Transfer-Encoding:\t chunked \t",
        body: empty),
      RequestCase(
        "9110 5.6.1", "chunked in a list with empty elements", .visit,
        fields: "Transfer-Encoding: , chunked,,", body: empty),
      RequestCase(
        "9112 6.1", "chunked in HTTP/1.0", .refused(400),
        "GET / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      RequestCase(
        "9112 6.1", "chunked in HTTP/1.0, to be kept", .refused(400),
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      RequestCase(
        "9112 6.1", "any coding in HTTP/1.0", .refused(400),
        "GET / HTTP/1.0\r\nTransfer-Encoding: identity\r\n\r\n"),
      RequestCase(
        "9112 6.3", "a length, then chunked", .refused(400),
        fields: "Content-Length: 5", "Transfer-Encoding: chunked", body: empty),
      RequestCase(
        "9112 6.3", "chunked, then a length", .refused(400),
        fields: "Transfer-Encoding: chunked", "Content-Length: 5", body: empty),
      RequestCase(
        "9112 6.3", "a length of zero, then chunked", .refused(400),
        fields: "Content-Length: 0", "Transfer-Encoding: chunked", body: empty),
      RequestCase(
        "9112 6.3", "a length that hides a request from who reads chunks", .refused(400),
        fields: "Content-Length: 32", "Transfer-Encoding: chunked",
        body: "0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      RequestCase(
        "9112 6.3", "a length and an unknown coding", .refused(400),
        fields: "Content-Length: 5", "Transfer-Encoding: gzip", body: empty),
      RequestCase(
        "9112 6.3", "a length and an empty coding", .refused(400),
        fields: "Content-Length: 5", "Transfer-Encoding:", body: empty),
      RequestCase(
        "9112 6.1", "chunked in two fields", .refused(400),
        fields: "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body: empty),
      RequestCase(
        "9112 6.3", "chunked, then another in a second field", .refused(400),
        fields: "Transfer-Encoding: chunked", "Transfer-Encoding: identity", body: empty),
      RequestCase(
        "9112 6.1", "an unknown coding, then chunked in a second field", .refused(501),
        fields: "Transfer-Encoding: gzip", "Transfer-Encoding: chunked", body: empty),
    ]
    + ["gzip, chunked", "identity, chunked", "xchunked, chunked", "a;b=\"c\", chunked"].map {
      coding in
      RequestCase(
        "9112 6.1", "\(coding): unknown under chunks", .refused(501),
        fields: "Transfer-Encoding: \(coding)", body: empty)
    }
    + [
      "", "gzip", "identity", "xchunked", "chunkedx", "chunke", "chunked, chunked",
      "chunked,chunked", "chunked, identity", "chunked, gzip", "identity, xchunked",
      "chunked;q=1", "chunked chunked", "\"chunked\"", "'chunked'", "chunked;", "chun\tked", "0",
      "chunked, 0", "cow, chunked, pig",
    ].map { coding in
      RequestCase(
        "9112 6.3", "\(coding): chunked is not last, or not alone", .refused(400),
        fields: "Transfer-Encoding: \(coding)", body: empty)
    }
    + ["\u{B}chunked", "chunked\u{B}", "chunked\u{C}", "\0chunked", "\u{1}chunked"].map { coding in
      RequestCase(
        "9110 5.5", "\(coding.debugDescription): a control character", .refused(400),
        fields: "Transfer-Encoding: \(coding)", body: empty)
    }
    + [
      RequestCase(
        "9110 5.5", "a no-break space beside chunked", .refused(400),
        fields: "Transfer-Encoding: \u{A0}chunked", body: empty)
    ]

  private static let empty = "0\r\n\r\n"
}
