import HTTP

/// The header fields with which a request for a counter may ask for more than a hit or a read; nil for a field
/// that it lacks.
struct HeaderFields {
  private(set) var authorization: Field?
  private(set) var idempotencyKey: Field?
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
      case 13 where header.spells("authorization", field.name):
        Self.set(&authorization, field.value)
      case 13 where header.spells("if-none-match", field.name): Self.set(&ifNoneMatch, field.value)
      case 15 where header.spells("idempotency-key", field.name):
        Self.set(&idempotencyKey, field.value)
      default: break
      }
    }
  }

  private static func set(_ field: inout Field?, _ value: Range<Int>) {
    field = Field(value: value, isRepeated: field != nil)
  }
}

/// What the Accept field of a request says of `text/plain` and of `application/json` (RFC 9110 section
/// 12.5.1). JSON is the default: only a client that prefers text gets it.
struct MediaPreference {
  private var text = Quality()
  private var json = Quality()

  /// How much a media type is wanted, by the most specific range that matches it.
  private struct Quality {
    var specificity = 0
    /// In thousandths.
    var value = 0

    mutating func add(_ specificity: Int, _ value: Int) {
      guard specificity > self.specificity else { return }
      self.specificity = specificity
      self.value = value
    }
  }

  private var isText: Bool { text.value > json.value }

  /// Whether the client prefers plain text.
  ///
  /// - Parameter accept: the value of the field with the blanks around it; empty without one.
  @inline(__always)
  static func isText(_ bytes: Span<UInt8>, _ accept: Range<Int>) -> Bool {
    // `*/*` is what most programs send.
    if accept.count <= 4 { return false }
    var preference = MediaPreference()
    preference.addRanges(bytes, accept)
    return preference.isText
  }

  private mutating func addAny(_ quality: Int) {
    text.add(1, quality)
    json.add(1, quality)
  }

  @inline(never)
  private mutating func addRanges(_ bytes: Span<UInt8>, _ value: Range<Int>) {
    for element in Self.split(bytes, value, at: UInt8(ascii: ",")) {
      let parts = Self.split(bytes, element, at: UInt8(ascii: ";"))
      guard let range = parts.first else { continue }
      var quality = 1000
      for parameter in parts.dropFirst() {
        if let given = Self.quality(bytes, parameter) { quality = given }
      }
      if bytes.spells("text/plain", range) { text.add(3, quality) }
      if bytes.spells("text/*", range) { text.add(2, quality) }
      if bytes.spells("application/json", range) { json.add(3, quality) }
      if bytes.spells("application/*", range) { json.add(2, quality) }
      if bytes.spells("*/*", range) { addAny(quality) }
    }
  }

  /// The weight that a parameter `q=0.5` gives, in thousandths; nil for another parameter.
  private static func quality(_ bytes: Span<UInt8>, _ parameter: Range<Int>) -> Int? {
    guard parameter.count >= 3, bytes.spells("q=", parameter.lowerBound..<parameter.lowerBound + 2)
    else { return nil }
    let first = bytes[parameter.lowerBound + 2]
    var quality = first == UInt8(ascii: "0") ? 0 : 1000
    guard quality == 0 else { return quality }
    var weight = 100
    for index in min(parameter.lowerBound + 4, parameter.upperBound)..<parameter.upperBound {
      guard (0x30...0x39).contains(bytes[index]) else { break }
      quality += Int(bytes[index] - 0x30) * weight
      weight /= 10
    }
    return quality
  }

  /// The parts between separators, without the blanks around them.
  private static func split(
    _ bytes: Span<UInt8>, _ value: Range<Int>, at separator: UInt8
  ) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var start = value.lowerBound
    for index in value.lowerBound...value.upperBound
    where index == value.upperBound || bytes[index] == separator {
      var (first, end) = (start, index)
      while first < end, bytes[first] == 0x20 || bytes[first] == 0x09 { first += 1 }
      while end > first, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
      if first < end { parts.append(first..<end) }
      start = index + 1
    }
    return parts
  }
}
