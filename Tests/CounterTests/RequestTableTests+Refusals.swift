@testable import TestSupport

extension RequestTableTests {
  static let refusals: [Refusal] = requestLines + hosts + fieldLines + lineEnds + bodies + tooMuch

  private static let requestLines = [
    Refusal("no version", 400, "GET /\r\nHost: x\r\n\r\n"),
    Refusal("two spaces", 400, "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"),
    Refusal("a space first", 400, " GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    Refusal("a space last", 400, "GET / HTTP/1.1 \r\nHost: x\r\n\r\n"),
    Refusal("a method that is no token", 400, "G@T / HTTP/1.1\r\nHost: x\r\n\r\n"),
    Refusal("no method", 400, "/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    Refusal("a version that is no number", 400, "GET / HTTP/1.x\r\nHost: x\r\n\r\n"),
    Refusal("a version in small letters", 400, "GET / http/1.1\r\nHost: x\r\n\r\n"),
    Refusal("a target without slash", 400, "GET health HTTP/1.1\r\nHost: x\r\n\r\n"),
    Refusal("percent-encoding with other letters", 400, "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"),
    Refusal("percent-encoding cut short", 400, "GET /%4 HTTP/1.1\r\nHost: x\r\n\r\n"),
    Refusal("a control character in the target", 400, "GET /\u{7} HTTP/1.1\r\nHost: x\r\n\r\n"),
    Refusal("a tab for a space", 400, "GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    Refusal("TLS", 400, "\u{16}\u{3}\u{1}\u{2}\0\r\n\r\n"),
    Refusal("HTTP/2.0", 505, "GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
    Refusal("HTTP/3.0", 505, "GET / HTTP/3.0\r\nHost: x\r\n\r\n"),
    Refusal(
      "a method of 33 characters", 501,
      String(repeating: "M", count: 33) + " / HTTP/1.1\r\nHost: x\r\n\r\n"),
  ]

  private static let hosts = [
    Refusal("no Host", 400, "GET / HTTP/1.1\r\n\r\n"),
    Refusal("two Hosts", 400, fields: "Host: x"),
    Refusal("two different Hosts", 400, fields: "host: y"),
  ]

  private static let fieldLines = [
    Refusal("a space before the colon", 400, fields: "A : b"),
    Refusal("no colon", 400, fields: "A"),
    Refusal("no name", 400, fields: ": b"),
    Refusal("a name that is no token", 400, fields: "A(b): c"),
    Refusal("a folded line", 400, fields: "A: b", " c"),
    Refusal("a NUL in a value", 400, fields: "A: b\0c"),
    Refusal("a control character in a value", 400, fields: "A: b\u{1}c"),
    Refusal("a CR in a value", 400, fields: "A: b\rc"),
  ]

  private static let lineEnds = [
    Refusal("bare LF everywhere", 400, "GET / HTTP/1.1\nHost: x\n\n"),
    Refusal("bare LF after the request line", 400, "GET / HTTP/1.1\nHost: x\r\n\r\n"),
    Refusal("bare LF after a field", 400, "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"),
    Refusal("bare LF for the empty line", 400, "GET / HTTP/1.1\r\nHost: x\r\n\n"),
    Refusal("bare LF before the request line", 400, "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
  ]

  private static let bodies = [
    Refusal("a length that is no number", 400, fields: "Content-Length: abc"),
    Refusal("a length with a minus", 400, fields: "Content-Length: -1"),
    Refusal("a length with a plus", 400, fields: "Content-Length: +5"),
    Refusal("a length with a space", 400, fields: "Content-Length: 5 5"),
    Refusal("an empty length", 400, fields: "Content-Length:"),
    Refusal(
      "two different lengths", 400, fields: "Content-Length: 1", "Content-Length: 2", body: "ab"),
    Refusal(
      "a length and chunks", 400, fields: "Content-Length: 5", "Transfer-Encoding: chunked",
      body: "0\r\n\r\n"),
    Refusal(
      "chunks and a length", 400, fields: "Transfer-Encoding: chunked", "Content-Length: 5",
      body: "0\r\n\r\n"),
    Refusal("an unknown coding", 400, fields: "Transfer-Encoding: gzip"),
    Refusal("an unknown coding under chunks", 501, fields: "Transfer-Encoding: gzip, chunked"),
    Refusal("a chunk size that is no number", 400, fields: chunked, body: "zz\r\nab\r\n0\r\n\r\n"),
    Refusal("a chunk size with a minus", 400, fields: chunked, body: "-1\r\nab\r\n0\r\n\r\n"),
    Refusal("no chunk size", 400, fields: chunked, body: "\r\nab\r\n0\r\n\r\n"),
    Refusal("a chunk longer than it says", 400, fields: chunked, body: "2\r\nabc\r\n0\r\n\r\n"),
    Refusal("bare LF after a chunk size", 400, fields: chunked, body: "2\nab\r\n0\r\n\r\n"),
    Refusal("bare LF after a chunk", 400, fields: chunked, body: "2\r\nab\n0\r\n\r\n"),
  ]

  private static let tooMuch = [
    Refusal("a body over 1 MiB", 413, fields: "Content-Length: 1048577"),
    Refusal("a body far over 1 MiB", 413, fields: "Content-Length: 9223372036854775807"),
    Refusal(
      "a body over 1 MiB that waits for leave", 413,
      fields: "Content-Length: 1048577", "Expect: 100-continue"),
    Refusal("a chunk over 1 MiB", 413, fields: chunked, body: "100001\r\n"),
    Refusal(
      "chunks over 1 MiB together", 413, fields: chunked,
      body: "80000\r\n\(letters(0x80000))\r\n80001\r\n"),
    Refusal("a target over 8,192 bytes", 414, "GET /\(letters(8192)) HTTP/1.1\r\nHost: x\r\n\r\n"),
    Refusal("one field over 16 KiB", 431, fields: "A: \(letters(17_000))"),
    Refusal(
      "many fields over 16 KiB", 431,
      "GET / HTTP/1.1\r\nHost: x\r\n" + fields(90, of: 200) + "\r\n"),
    Refusal("101 fields", 431, "GET / HTTP/1.1\r\nHost: x\r\n" + fields(100, of: 1) + "\r\n"),
  ]

  static let endlessRequests = [
    Refusal("a method without end", 501, letters(20_000)),
    Refusal("a target without end", 414, "GET /\(letters(20_000))"),
    Refusal("a field without end", 431, "GET / HTTP/1.1\r\nHost: x\r\nA: \(letters(20_000))"),
    Refusal("fields without end", 431, "GET / HTTP/1.1\r\nHost: x\r\n" + fields(90, of: 200)),
    Refusal("a chunk size without end", 413, fields: chunked, body: letters(20_000)),
    Refusal("a chunk extension without end", 431, fields: chunked, body: "1;\(letters(20_000))"),
    Refusal("a trailer without end", 431, fields: chunked, body: "0\r\nA: \(letters(20_000))"),
  ]

  static let withinLimits = [
    Refusal("a body of 1 MiB", 200, fields: "Content-Length: 1048576", body: letters(1_048_576)),
    Refusal(
      "chunks of 1 MiB together", 200, fields: chunked,
      body: "80000\r\n\(letters(0x80000))\r\n80000\r\n\(letters(0x80000))\r\n0\r\n\r\n"),
    Refusal("a path of 8,192 bytes", 404, "GET /\(letters(8191)) HTTP/1.1\r\nHost: x\r\n\r\n"),
    Refusal("a query of 8,190 bytes", 200, "GET /?\(letters(8190)) HTTP/1.1\r\nHost: x\r\n\r\n"),
    Refusal("a field of 15 KiB", 200, fields: "A: \(letters(15_360))"),
    Refusal("100 fields", 200, "GET / HTTP/1.1\r\nHost: x\r\n" + fields(99, of: 1) + "\r\n"),
    Refusal("a value of other than ASCII", 200, fields: "A: äöü\t€"),
    Refusal("a field without value", 200, fields: "A:"),
    Refusal("a value in spaces and tabs", 200, fields: "A: \t b \t "),
    Refusal("field names in capitals", 200, "GET / HTTP/1.1\r\nHOST: x\r\n\r\n"),
    Refusal("a length in zeros", 200, fields: "Content-Length: 0003", body: "abc"),
    Refusal("a coding in capitals", 200, fields: "TRANSFER-ENCODING: Chunked", body: "0\r\n\r\n"),
  ]

  private static let chunked = "Transfer-Encoding: chunked"

  private static func letters(_ count: Int) -> String {
    String(repeating: "a", count: count)
  }

  private static func fields(_ count: Int, of length: Int) -> String {
    (0..<count).map { "A\($0): \(letters(length))\r\n" }.joined()
  }
}
