/// What the server must do with which request: one file a part of RFC 9112, and of RFC 9110 where
/// that rules.
enum RequestTable {
  static let all: [RequestCase] =
    messages + requestLines + targets + hosts + methods + fields + lengths + codings + chunks
    + persistence + expectations + limits

  /// What is sent after a case, to see what became of the connection; it counts nobody.
  static let probe = Array("GET /health HTTP/1.1\r\nHost: x\r\n\r\n".utf8)

  /// The probe's answer ends so.
  static let probeAnswer = "Microservice a is ready!"

  static func letters(_ count: Int) -> String {
    String(repeating: "a", count: count)
  }
}
