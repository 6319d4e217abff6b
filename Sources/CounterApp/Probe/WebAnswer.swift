/// What a web server answered, as far as a probe looks at it.
struct WebAnswer {
  let status: Int
  let body: String

  /// Reads an answer (RFC 9112).
  ///
  /// - Parameters:
  ///   - received: everything that has come.
  ///   - isAll: whether nothing more will come.
  /// - Returns: nil while it is not whole.
  init?(_ received: [UInt8], isAll: Bool) throws(WebClient.Failure) {
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

  /// How many bytes the header takes, the empty line at its end included; nil when there is none.
  private static func headerLength(_ bytes: [UInt8]) -> Int? {
    var line = bytes.startIndex
    while let end = bytes[line...].firstIndex(of: UInt8(ascii: "\n")) {
      if line > 0, end == line + 1, bytes[line] == UInt8(ascii: "\r") { return end + 1 }
      line = end + 1
    }
    return nil
  }

  /// The value of the first field of a name, which is given in lower case.
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
