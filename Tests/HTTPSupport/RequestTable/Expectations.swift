/// RFC 9110 section 10.1.1: Expect.
extension RequestTable {
  static let expectations: [RequestCase] = [
    RequestCase(
      "9110 10.1.1", "100-continue and a body that comes along", .visit,
      fields: "Expect: 100-continue", "Content-Length: 3", body: "abc"),
    RequestCase(
      "9110 10.1.1", "100-continue in capitals", .visit,
      fields: "EXPECT: 100-Continue", "Content-Length: 3", body: "abc"),
    RequestCase(
      "9110 10.1.1", "100-continue and chunks", .visit,
      fields: "Expect: 100-continue", "Transfer-Encoding: chunked", body: "1\r\na\r\n0\r\n\r\n"),
    RequestCase("9110 10.1.1", "100-continue and no body", .visit, fields: "Expect: 100-continue"),
    RequestCase(
      "9110 10.1.1", "100-continue in HTTP/1.0", .lastVisit,
      "GET / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"),
    RequestCase(
      "9110 10.1.1", "another expectation in HTTP/1.0", .lastVisit,
      "GET / HTTP/1.0\r\nExpect: magic\r\n\r\n"),
    RequestCase(
      "9110 10.1.1", "another expectation", .refused(417), fields: "Expect: magic"),
    RequestCase(
      "9110 10.1.1", "another beside it", .refused(417), fields: "Expect: 100-continue, magic"),
    RequestCase(
      "9110 10.1.1", "another in a second field", .refused(417),
      fields: "Expect: 100-continue", "Expect: magic"),
    RequestCase(
      "9110 10.1.1", "what begins like it", .refused(417), fields: "Expect: 100-continued"),
    RequestCase(
      "9110 10.1.1", "another, and a body that looks like a request", .refused(417),
      fields: "Expect: magic", "Content-Length: 27", body: "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9110 10.1.1", "100-continue and a body that is too long", .refused(413),
      fields: "Expect: 100-continue", "Content-Length: 1048577"),
    RequestCase(
      "9110 10.1.1", "100-continue and framing that is ambiguous", .refused(400),
      fields: "Expect: 100-continue", "Content-Length: 3", "Transfer-Encoding: chunked"),
  ]
}
