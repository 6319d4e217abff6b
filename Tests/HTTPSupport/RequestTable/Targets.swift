/// RFC 9112 sections 3.2.1 to 3.2.4: the four forms of a target.
extension RequestTable {
  static let targets: [RequestCase] = [
    RequestCase(
      "9112 3.2", "a control character", .refused(400), "GET /\u{7} HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase("9112 3.2", "a NUL", .refused(400), "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase("9112 3.2", "a DEL", .refused(400), "GET /\u{7F} HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2", "other than ASCII", .refused(400), "GET /é HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase("9112 3.2", "a fragment", .refused(400), "GET /#a HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2", "a fragment after a query", .refused(400),
      "GET /?a#b HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2", "a line in it", .refused(400),
      "GET /\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),

    RequestCase("9112 3.2.1", "a query", .visit, "GET /?a=b&c HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase("9112 3.2.1", "an empty query", .visit, "GET /? HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "a query with slashes and question marks", .visit,
      "GET /?/health?//x HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "an unknown path", .answered(404), "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase("9112 3.2.1", "two slashes", .answered(404), "GET // HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "what looks like another host", .answered(404),
      "GET //y/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "a way up", .answered(404), "GET /.. HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "an encoded letter", .answered(200),
      "GET /%68ealth HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "an encoded slash is none", .answered(404),
      "GET /%2F HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "an encoded NUL", .answered(404), "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "percent-encoding with other letters", .refused(400),
      "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "percent-encoding cut short", .refused(400),
      "GET /%4 HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "percent-encoding cut short by a query", .refused(400),
      "GET /%4?1 HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "no slash", .refused(400), "GET health HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "a query only", .refused(400), "GET ?a HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase("9112 3.2.1", "one letter", .refused(400), "GET a HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "one letter, to HEAD", .refused(400), "HEAD a HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.1", "a backslash", .refused(400), "GET \\ HTTP/1.1\r\nHost: x\r\n\r\n"),

    RequestCase("9112 3.2.2", "absolute", .visit, "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.2", "absolute without a path", .visit,
      "GET http://x HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.2", "absolute with a query only", .visit,
      "GET http://x?a HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.2", "absolute with a port", .visit,
      "GET http://x:80/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.2", "absolute with an empty port", .visit,
      "GET http://x:/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.2", "absolute in capitals", .visit,
      "GET HTTP://X/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.2", "absolute and encrypted somewhere else", .visit,
      "GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.2", "absolute with another host than Host's", .visit,
      "GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.2", "absolute with an IPv6 address", .visit,
      "GET http://[::1]:80/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.2", "absolute, to OPTIONS", .answered(200),
      "OPTIONS http://x HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.2", "absolute without Host", .refused(400),
      "GET http://x/ HTTP/1.1\r\n\r\n"),
    RequestCase(
      "9112 3.2.2", "absolute in HTTP/1.0 without Host", .lastVisit,
      "GET http://x/ HTTP/1.0\r\n\r\n"),
    RequestCase(
      "9112 3.2.2", "another scheme", .refused(400), "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.2", "a scheme with one slash", .refused(400),
      "GET http:/x HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9110 4.2.1", "absolute without a host", .refused(400),
      "GET http:/// HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9110 4.2.1", "absolute with a port only", .refused(400),
      "GET http://:80/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9110 4.2.1", "absolute with a port that is no number", .refused(400),
      "GET http://x:a/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9110 4.2.4", "absolute with a user", .refused(400),
      "GET http://u:p@x/ HTTP/1.1\r\nHost: x\r\n\r\n"),

    RequestCase(
      "9112 3.2.3", "an authority, to CONNECT", .refused(501),
      "CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n"),
    RequestCase(
      "9112 3.2.3", "an authority, to GET", .refused(400),
      "GET x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n"),
    RequestCase(
      "9112 3.2.3", "an authority, to POST", .refused(400),
      "POST x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n"),

    RequestCase(
      "9112 3.2.4", "an asterisk, to OPTIONS", .answered(200),
      "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.4", "an asterisk, to GET", .refused(400), "GET * HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.4", "an asterisk, to HEAD", .refused(400), "HEAD * HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3.2.4", "two asterisks, to OPTIONS", .refused(400),
      "OPTIONS ** HTTP/1.1\r\nHost: x\r\n\r\n"),
  ]
}
