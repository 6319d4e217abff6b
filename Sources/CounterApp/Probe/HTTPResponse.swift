/// The response of an HTTP server, as far as a probe looks at it.
struct HTTPResponse {
  let status: Int
  let body: String
  /// The target that a Link field gives for the next page (RFC 8288).
  let nextPage: String?

  /// Reads a response (RFC 9112): all bytes that came before the server closed the connection.
  init(_ received: [UInt8]) throws(Probe.Failure) {
    guard let header = received.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else {
      throw .cutShort
    }
    let lines = String(decoding: received[..<header], as: UTF8.self).split(separator: "\r\n")
    let start = lines.first?.split(separator: " ") ?? []
    guard start.count > 1, start[0] == "HTTP/1.1" || start[0] == "HTTP/1.0",
      let status = Int(start[1])
    else { throw .notUnderstood }
    guard Self.value(of: "transfer-encoding", in: lines) == nil else { throw .notUnderstood }
    var body = received[header...]
    if let field = Self.value(of: "content-length", in: lines) {
      guard let length = Int(field), length >= 0 else { throw .notUnderstood }
      guard body.count >= length else { throw .cutShort }
      body = body.prefix(length)
    }
    self.status = status
    nextPage = Self.value(of: "link", in: lines).flatMap { link in
      let target = link.dropFirst().prefix { $0 != ">" }
      return link.hasPrefix("<") && link.hasSuffix(#">;rel="next""#) ? String(target) : nil
    }
    self.body = String(decoding: body, as: UTF8.self)
  }

  /// The value of the first field with a name, which is given in lower case.
  private static func value(of name: String, in lines: [Substring]) -> Substring? {
    let fields = lines.dropFirst().map { $0.split(separator: ":", maxSplits: 1) }
    let field = fields.first { $0.count == 2 && $0[0].lowercased() == name }
    return field?[1].drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
  }
}

extension HTTPResponse {
  /// The number in `{"value":43}`; nil when the body is something else.
  var number: Int64? {
    let (before, after) = (#"{"value":"#, "}")
    guard body.hasPrefix(before), body.hasSuffix(after) else { return nil }
    return Int64(body.dropFirst(before.count).dropLast(after.count))
  }

  /// The reason that a problem gives (RFC 9457), whose text holds no escapes; the whole body if it is none.
  var problemDetail: String {
    guard let start = body.firstRange(of: #""detail":""#)?.upperBound else {
      return body.onOneLine(" ")
    }
    return String(body[start...].prefix { $0 != "\"" }).onOneLine(" ")
  }
}

extension Probe.Failure {
  fileprivate static let cutShort = unwell("closed the connection before its answer was whole")
  fileprivate static let notUnderstood = unwell("its answer is none of a counter's")
}
