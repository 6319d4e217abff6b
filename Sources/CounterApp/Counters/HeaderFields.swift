import HTTP

/// The header fields with which a request for a counter may ask for more than a hit or a read: ranges of its
/// header; nil for a field that it lacks.
struct HeaderFields {
  private(set) var authorization: Range<Int>?
  private(set) var idempotencyKey: Range<Int>?
  private(set) var ifNoneMatch: Range<Int>?

  /// Whether a field came twice that may come once.
  private(set) var isAmbiguous = false

  init() {}

  init(_ header: Span<UInt8>) {
    var lines = HeaderLines(header)
    while let field = lines.next() {
      switch field.name.count {
      case 13 where header.spells("authorization", field.name):
        isAmbiguous = !Self.set(&authorization, field) || isAmbiguous
      case 13 where header.spells("if-none-match", field.name):
        isAmbiguous = !Self.set(&ifNoneMatch, field) || isAmbiguous
      case 15 where header.spells("idempotency-key", field.name):
        isAmbiguous = !Self.set(&idempotencyKey, field) || isAmbiguous
      default: break
      }
    }
  }

  /// - Returns: false when the field came before.
  private static func set(_ range: inout Range<Int>?, _ field: HeaderLines.Field) -> Bool {
    defer { range = field.value }
    return range == nil
  }
}
