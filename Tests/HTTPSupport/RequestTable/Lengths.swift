/// RFC 9112 sections 6.2 and 6.3: Content-Length.
extension RequestTable {
  static let lengths: [RequestCase] =
    [
      RequestCase("9112 6", "no body", .visit, fields: "Content-Length: 0"),
      RequestCase("9112 6.2", "a body", .visit, fields: "Content-Length: 3", body: "abc"),
      RequestCase("9112 6.2", "no space", .visit, fields: "Content-Length:3", body: "abc"),
      RequestCase(
        "9112 6.2", "white space around it", .visit, fields: "Content-Length: \t3 \t", body: "abc"),
      RequestCase("9112 6.2", "zeros first", .visit, fields: "Content-Length: 0003", body: "abc"),
      RequestCase(
        "9112 6.2", "small letters", .visit, fields: "content-length: 3", body: "abc"),
      RequestCase(
        "9112 6.2", "a body that looks like a request", .visit,
        fields: "Content-Length: 27", body: "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      RequestCase(
        "9112 6.2", "a body of HTTP/1.0", .lastVisit,
        "GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"),
      RequestCase(
        "9112 6.2", "a body to a path that is not there", .answered(404),
        "GET /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
      RequestCase(
        "9112 6.3", "no length means no body", .answers([200, 200], .kept, visits: 2),
        "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
      RequestCase(
        "9112 6.3", "twice the same", .refused(400),
        fields: "Content-Length: 3", "Content-Length: 3", body: "abc"),
      RequestCase(
        "9112 6.3", "two different ones", .refused(400),
        fields: "Content-Length: 3", "Content-Length: 4", body: "abcd"),
      RequestCase(
        "9112 6.3", "two different ones apart", .refused(400),
        fields: "Content-Length: 0", "A: b", "content-length: 3", body: "abc"),
    ]
    + [
      ("a list of the same", "3, 3"), ("a list of two", "3, 4"), ("a list of one", "3,"),
      ("a list without spaces", "3,3"), ("no number", "abc"), ("a minus", "-1"),
      ("minus zero", "-0"),
      ("a plus", "+3"), ("a space in it", "3 3"), ("a tab in it", "3\t3"), ("nothing", ""),
      ("white space only", " \t"), ("hexadecimal", "0x3"), ("a hexadecimal digit", "b"),
      ("a fraction", "3.0"), ("an exponent", "3e0"), ("quotes", "\"3\""), ("an underscore", "1_0"),
      ("a parameter", "3;a=b"), ("digits of other than ASCII", "３"), ("a form feed", "3\u{C}"),
      ("a NUL after it", "3\0"),
    ].map { name, value in
      RequestCase(
        "9112 6.3", "\(name) for a length", .refused(400), fields: "Content-Length: \(value)",
        body: "abc")
    }
    + [
      "1048577", "2147483648", "4294967296", "4294967299", "9223372036854775807",
      "9223372036854775808", "18446744073709551616", "18446744073709551619",
      "99999999999999999999999999999999",
    ].map { value in
      RequestCase(
        "9110 8.6", "a length of \(value)", .refused(413), fields: "Content-Length: \(value)",
        body: "abc")
    }
}
