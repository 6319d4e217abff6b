/// The response of an HTTP server, as far as a probe looks at it.
struct HTTPResponse {
  let status: Int
  let body: String

  /// Reads a response (RFC 9112).
  ///
  /// - Parameters:
  ///   - received: all bytes that have arrived.
  ///   - isAll: whether the server has closed the connection.
  /// - Returns: nil while the response is incomplete.
  init?(_ received: [UInt8], isAll: Bool) throws(HTTPClient.Failure) {
    guard let header = Self.headerLength(received) else {
      if isAll { throw .cutShort }
      return nil
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
      guard body.count >= length else {
        if isAll { throw .cutShort }
        return nil
      }
      body = body.prefix(length)
    } else if !isAll {
      return nil
    }
    self.status = status
    self.body = String(decoding: body, as: UTF8.self)
  }

  /// The length of the header with the empty line at its end, in bytes; nil when it has no end yet.
  private static func headerLength(_ bytes: [UInt8]) -> Int? {
    var line = bytes.startIndex
    while let end = bytes[line...].firstIndex(of: UInt8(ascii: "\n")) {
      if line > 0, end == line + 1, bytes[line] == UInt8(ascii: "\r") { return end + 1 }
      line = end + 1
    }
    return nil
  }

  /// The value of the first field with a name, which is given in lower case.
  private static func value(of name: String, in lines: [Substring]) -> Substring? {
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else {
        continue
      }
      let value = line[colon...].dropFirst().drop { $0 == " " || $0 == "\t" }
      return value.prefix { $0 != " " && $0 != "\t" }
    }
    return nil
  }
}
