/// RFC 9112 section 3.2 and RFC 9110 section 7.2: the Host field.
extension RequestTable {
  static let hosts: [RequestCase] =
    [
      RequestCase("9112 3.2", "no Host", .refused(400), "GET / HTTP/1.1\r\n\r\n"),
      RequestCase(
        "9112 3.2", "no Host among others", .refused(400), "GET / HTTP/1.1\r\nA: x\r\n\r\n"),
      RequestCase("9112 3.2", "two Hosts", .refused(400), fields: "Host: x"),
      RequestCase("9112 3.2", "two different Hosts", .refused(400), fields: "hOST: y"),
      RequestCase("9112 3.2", "two Hosts apart", .refused(400), fields: "A: b", "Host: y"),
      RequestCase(
        "9112 3.2", "no Host in a later minor version", .refused(400), "GET / HTTP/1.2\r\n\r\n"),
      RequestCase(
        "9112 3.2", "two Hosts in HTTP/1.0", .refused(400),
        "GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n"),
      RequestCase(
        "9112 3.2", "an invalid Host in HTTP/1.0", .refused(400),
        "GET / HTTP/1.0\r\nHost: a b\r\n\r\n"),
      RequestCase(
        "9112 3.2", "a Host in HTTP/1.0", .lastVisit, "GET / HTTP/1.0\r\nHost: x\r\n\r\n"),
      RequestCase(
        "9112 3.2", "an invalid Host beside an absolute target", .refused(400),
        "GET http://x/ HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ]
    + [
      "", "a", "A.b-c.example", "127.0.0.1", "a:80", "a:", ":80", "[::1]", "[::1]:8000",
      "[::ffff:127.0.0.1]:80", "a_b", "a~!$&'()*+;=b", "%41b", "xn--bcher-kva.example:65536",
      "a.:1",
    ].map { host in
      RequestCase("9110 7.2", "Host: \(host)", .visit, "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")
    }
    + [
      "a b", "a,b", "[v1.a]", "a/b", "a/", "a?b", "a#b", "u@a", "a, b", "\"a\"", "a\\b", "a^b",
      "<a>", "é",
      "a:b", "a:80:80", "a:-1", "a:+1", "a:8 0", "::1", "[::1", "::1]", "[]", "[::1]a", "[::1]80",
      "[g::1]", "a[::1]", "[::1]:x", "[[::1]]", "%4", "%zz", "a%", "http://a",
    ].map { host in
      RequestCase(
        "9110 7.2", "Host: \(host)", .refused(400),
        "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")
    }
}
