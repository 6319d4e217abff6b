import HTTP

/// The header fields with which a request for a counter may ask for more than a hit or a read; nil for a field
/// that it lacks.
struct HeaderFields {
  private(set) var authorization: Field?
  private(set) var idempotencyKey: Field?
  private(set) var ifMatch: Field?
  private(set) var ifNoneMatch: Field?

  /// A field that may come once.
  struct Field {
    /// A range of the header.
    let value: Range<Int>
    /// Whether the field came more than once, so that its value is not clear.
    let isRepeated: Bool
  }

  init() {}

  init(_ header: Span<UInt8>) {
    var lines = HeaderLines(header)
    while let field = lines.next() {
      switch field.name.count {
      case 8 where header.spells("if-match", field.name): Self.set(&ifMatch, field.value)
      case 13 where header.spells("authorization", field.name):
        Self.set(&authorization, field.value)
      case 13 where header.spells("if-none-match", field.name): Self.set(&ifNoneMatch, field.value)
      case 15 where header.spells("idempotency-key", field.name):
        Self.set(&idempotencyKey, field.value)
      default: break
      }
    }
  }

  /// Refuses a change under a condition that is not understood. A read needs none, for no response has a tag.
  func checkConditions(of method: Method) throws(Problem) {
    guard method != .get, method != .head else { return }
    guard ifMatch == nil, ifNoneMatch == nil || method == .put else { throw .unknownPrecondition }
  }

  private static func set(_ field: inout Field?, _ value: Range<Int>) {
    field = Field(value: value, isRepeated: field != nil)
  }
}
