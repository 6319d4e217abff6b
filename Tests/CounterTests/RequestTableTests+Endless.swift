@testable import TestSupport

extension RequestTableTests {
  static let endlessRequests = [
    Refusal("a method without end", 501, letters(20_000)),
    Refusal("a target without end", 414, "GET /\(letters(20_000))"),
    Refusal("a field without end", 431, "GET / HTTP/1.1\r\nHost: x\r\nA: \(letters(20_000))"),
    Refusal("fields without end", 431, "GET / HTTP/1.1\r\nHost: x\r\n" + fields(90, of: 200)),
    Refusal("a chunk size without end", 413, fields: chunked, body: letters(20_000)),
    Refusal("a chunk extension without end", 431, fields: chunked, body: "1;\(letters(20_000))"),
    Refusal("a trailer without end", 431, fields: chunked, body: "0\r\nA: \(letters(20_000))"),
  ]

  private static let chunked = "Transfer-Encoding: chunked"

  private static func letters(_ count: Int) -> String {
    String(repeating: "a", count: count)
  }

  private static func fields(_ count: Int, of length: Int) -> String {
    (0..<count).map { "A\($0): \(letters(length))\r\n" }.joined()
  }
}
