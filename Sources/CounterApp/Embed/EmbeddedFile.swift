import HTTP

/// A file of the program's own that is served as it is: its bytes, and the heads of its responses.
///
/// Browsers keep it for an hour, and ask then whether it has changed (RFC 9110 section 13.1.2).
struct EmbeddedFile: ~Copyable {
  private let bytes: [UInt8]
  /// What the entity tag has between its quotation marks.
  private let tag: [UInt8]
  private let whole: ResponseHead
  private let unchanged: ResponseHead

  /// - Parameters:
  ///   - type: the value of Content-Type.
  ///   - fields: further fields of its responses.
  init(_ bytes: [UInt8], type: String, _ fields: [ResponseHead.Field] = []) {
    self.bytes = bytes
    let tag = Self.hash(bytes)
    self.tag = Array(tag.utf8)
    let shared: [ResponseHead.Field] =
      [
        ResponseHead.anyOrigin, ("Cross-Origin-Resource-Policy", "cross-origin"),
        ("Cache-Control", "public, max-age=3600"), ("ETag", "\"\(tag)\""),
      ] + fields
    whole = ResponseHead(.ok, [("Content-Type", type)] + shared)
    unchanged = ResponseHead(.notModified, shared)
  }

  /// Responds to GET or HEAD with the file, or with 304 to a client that has it.
  func respond(_ request: Request, _ server: inout Server) {
    if isKnown(server.requestBytes.extracting(request.header)) {
      server.respondWithoutBody(request.exchange, unchanged, bodyCount: bytes.count)
    } else {
      server.respond(request.exchange, whole, bytes.span)
    }
  }

  /// Whether an If-None-Match field has the entity tag of the file, or an asterisk.
  private func isKnown(_ header: Span<UInt8>) -> Bool {
    var lines = HeaderLines(header)
    while let field = lines.next() {
      guard header.spells("if-none-match", field.name) else { continue }
      if header.spells("*", field.value) || hasTag(field.value, in: header) { return true }
    }
    return false
  }

  /// Whether a list of entity tags has that of the file. Whether either is weak does not matter here.
  private func hasTag(_ list: Range<Int>, in header: Span<UInt8>) -> Bool {
    var start: Int?
    for index in list where header[index] == UInt8(ascii: "\"") {
      guard let opening = start else {
        start = index + 1
        continue
      }
      start = nil
      let given = header.extracting(opening..<index)
      if given.count == tag.count, tag.indices.allSatisfy({ tag[$0] == given[$0] }) { return true }
    }
    return false
  }

  /// FNV-1a with 64 bits (RFC 9923), in hexadecimal digits: tells one version of a file from another.
  private static func hash(_ bytes: [UInt8]) -> String {
    let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    return String(hash, radix: 16)
  }
}

extension EmbeddedFile {
  /// The script for the pages of others. docs/embed.md describes it.
  static var script: EmbeddedFile {
    EmbeddedFile(
      condensed(PackageResources.counter_js), type: "text/javascript; charset=utf-8")
  }

  /// A program in JavaScript without lines of comment. Line ends and spaces are left out too, except between
  /// two words and in texts.
  ///
  /// This is no parser: each statement of the program must end with a semicolon, a comment must have its
  /// line for itself, a text must not hold its own quotation mark, and a regular expression must hold
  /// neither spaces nor quotation marks.
  static func condensed(_ program: [UInt8]) -> [UInt8] {
    let space = UInt8(ascii: " ")
    var result: [UInt8] = []
    // The mark at which the text ends that is being copied.
    var quotationMark: UInt8?
    for line in program.split(separator: UInt8(ascii: "\n")) {
      let code = line.drop { $0 == space }
      guard !code.starts(with: "//".utf8) else { continue }
      var isAfterGap = true
      for byte in code {
        if quotationMark == nil {
          guard byte != space else {
            isAfterGap = true
            continue
          }
          if isAfterGap, isOfWord(byte), let last = result.last, isOfWord(last) {
            result.append(space)
          }
          if "\"'`".utf8.contains(byte) { quotationMark = byte }
        } else if byte == quotationMark {
          quotationMark = nil
        }
        isAfterGap = false
        result.append(byte)
      }
    }
    return result + [UInt8(ascii: "\n")]
  }

  /// Whether a byte can be part of a name, a number or a keyword.
  private static func isOfWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
      true
    default: false
    }
  }
}
