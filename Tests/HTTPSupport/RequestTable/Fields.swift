/// RFC 9112 section 5: field lines.
extension RequestTable {
  static let fields: [RequestCase] = [
    RequestCase("9112 5", "an unknown field", .visit, fields: "X-Whatever: else"),
    RequestCase("9112 5", "no space after the colon", .visit, fields: "A:b"),
    RequestCase("9112 5", "no value", .visit, fields: "A:"),
    RequestCase("9112 5", "a value of white space", .visit, fields: "A: \t "),
    RequestCase("9112 5", "a value in spaces and tabs", .visit, fields: "A: \t b \t "),
    RequestCase("9112 5", "colons in a value", .visit, fields: "A::b: c:"),
    RequestCase("9112 5", "the same field again", .visit, fields: "A: b", "A: c"),
    RequestCase("9112 5", "no colon", .refused(400), fields: "A"),
    RequestCase("9112 5", "no colon, but a space", .refused(400), fields: "A b"),
    RequestCase("9112 5", "no name", .refused(400), fields: ": b"),
    RequestCase("9112 5", "nothing but a colon", .refused(400), fields: ":"),
    RequestCase(
      "9112 5", "no line end before the empty line", .refused(400),
      "GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n"),

    RequestCase("9112 5.1", "a space before the colon", .refused(400), fields: "A : b"),
    RequestCase("9112 5.1", "a tab before the colon", .refused(400), fields: "A\t: b"),
    RequestCase(
      "9112 5.1", "a space before the colon of Host", .refused(400),
      "GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
    RequestCase(
      "9112 5.1", "a space before the colon of Content-Length", .refused(400),
      fields: "Content-Length : 3", body: "abc"),
    RequestCase(
      "9112 5.1", "a space before the colon of Transfer-Encoding", .refused(400),
      fields: "Transfer-Encoding : chunked", body: "0\r\n\r\n"),
    RequestCase("9112 5.1", "a space in a name", .refused(400), fields: "A b: c"),
    RequestCase(
      "9112 5.1", "a vertical tab before the colon", .refused(400),
      fields: "Transfer-Encoding\u{B}: chunked"),
    RequestCase("9110 5.1", "a name that is no token", .refused(400), fields: "A(b): c"),
    RequestCase("9110 5.1", "a name in brackets", .refused(400), fields: "[A]: b"),
    RequestCase("9110 5.1", "a NUL in a name", .refused(400), fields: "A\0: b"),
    RequestCase("9110 5.1", "a name of other than ASCII", .refused(400), fields: "Ä: b"),
    RequestCase("9110 5.1", "a slash in a name", .refused(400), fields: "A/b: c"),
    RequestCase("9110 5.1", "a name in quotes", .refused(400), fields: "\"A\": b"),
    RequestCase(
      "9110 5.1", "a name of every kind of token character", .visit,
      fields: "!#$%&'*+-.^_`|~09azAZ: b"),
    RequestCase(
      "9110 5.1", "Host in capitals", .visit, "GET / HTTP/1.1\r\nHOST: x\r\n\r\n"),
    RequestCase(
      "9110 5.1", "Content_Length is another field", .visit, fields: "Content_Length: 3"),

    RequestCase("9112 5.2", "a folded line", .refused(400), fields: "A: b", " c"),
    RequestCase("9112 5.2", "a line folded with a tab", .refused(400), fields: "A: b", "\tc"),
    RequestCase("9112 5.2", "an empty folded line", .refused(400), fields: "A: b", " "),
    RequestCase(
      "9112 5.2", "a folded Transfer-Encoding", .refused(400),
      fields: "Transfer-Encoding:", " chunked", body: "0\r\n\r\n"),
    RequestCase(
      "9112 5.2", "a folded Content-Length", .refused(400), fields: "Content-Length: 1", " 0"),
    RequestCase(
      "9112 5.2", "a folded Host", .refused(400), "GET / HTTP/1.1\r\nHost:\r\n x\r\n\r\n"),

    RequestCase("9110 5.5", "a value of other than ASCII", .visit, fields: "A: äöü\t€"),
    RequestCase("9110 5.5", "a NUL in a value", .refused(400), fields: "A: b\0c"),
    RequestCase("9110 5.5", "a control character in a value", .refused(400), fields: "A: b\u{1}"),
    RequestCase("9110 5.5", "a form feed in a value", .refused(400), fields: "A: \u{C}b"),
    RequestCase("9110 5.5", "a vertical tab in a value", .refused(400), fields: "A: b\u{B}"),
    RequestCase("9110 5.5", "an escape in a value", .refused(400), fields: "A: \u{1B}[2J"),
    RequestCase("9110 5.5", "a DEL in a value", .refused(400), fields: "A: b\u{7F}"),
    RequestCase("9110 5.5", "a NUL in Host", .refused(400), "GET / HTTP/1.1\r\nHost: x\0\r\n\r\n"),
  ]
}
