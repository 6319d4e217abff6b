import HTTP

/// The header fields of a request for a counter; nil for a field that it lacks.
struct HeaderFields {
  /// Whether the client prefers plain text to JSON.
  private(set) var prefersText = false

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

  init(_ header: Span<UInt8>) {
    var lines = HeaderLines(header)
    var preference = MediaPreference()
    while let field = lines.next() {
      switch field.name.count {
      case 6 where header.spells("accept", field.name): preference.add(header, field.value)
      case 13 where header.spells("authorization", field.name):
        Self.set(&authorization, field.value)
      case 13 where header.spells("if-none-match", field.name): Self.set(&ifNoneMatch, field.value)
      case 15 where header.spells("idempotency-key", field.name):
        Self.set(&idempotencyKey, field.value)
      default: break
      }
    }
    prefersText = preference.isText
  }

  private static func set(_ field: inout Field?, _ value: Range<Int>) {
    field = Field(value: value, isRepeated: field != nil)
  }
}

/// What the Accept fields of a request say of `text/plain` and of `application/json` (RFC 9110 section
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

  var isText: Bool { text.value > json.value }

  @inline(__always)
  mutating func add(_ header: Span<UInt8>, _ value: Range<Int>) {
    // What most programs send.
    if value.count == 3, header[value.lowerBound] == UInt8(ascii: "*") { return addAny(1000) }
    addRanges(header, value)
  }

  private mutating func addAny(_ quality: Int) {
    text.add(1, quality)
    json.add(1, quality)
  }

  @inline(never)
  private mutating func addRanges(_ header: Span<UInt8>, _ value: Range<Int>) {
    for element in Self.split(header, value, at: UInt8(ascii: ",")) {
      let parts = Self.split(header, element, at: UInt8(ascii: ";"))
      guard let range = parts.first else { continue }
      var quality = 1000
      for parameter in parts.dropFirst() {
        if let given = Self.quality(header, parameter) { quality = given }
      }
      if header.spells("text/plain", range) { text.add(3, quality) }
      if header.spells("text/*", range) { text.add(2, quality) }
      if header.spells("application/json", range) { json.add(3, quality) }
      if header.spells("application/*", range) { json.add(2, quality) }
      if header.spells("*/*", range) { addAny(quality) }
    }
  }

  /// The weight that a parameter `q=0.5` gives, in thousandths; nil for another parameter.
  private static func quality(_ header: Span<UInt8>, _ parameter: Range<Int>) -> Int? {
    guard parameter.count >= 3, header.spells("q=", parameter.lowerBound..<parameter.lowerBound + 2)
    else { return nil }
    let first = header[parameter.lowerBound + 2]
    var quality = first == UInt8(ascii: "0") ? 0 : 1000
    guard quality == 0 else { return quality }
    var weight = 100
    for index in min(parameter.lowerBound + 4, parameter.upperBound)..<parameter.upperBound {
      guard (0x30...0x39).contains(header[index]) else { break }
      quality += Int(header[index] - 0x30) * weight
      weight /= 10
    }
    return quality
  }

  /// The parts between separators, without the blanks around them.
  private static func split(
    _ header: Span<UInt8>, _ value: Range<Int>, at separator: UInt8
  ) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var start = value.lowerBound
    for index in value.lowerBound...value.upperBound
    where index == value.upperBound || header[index] == separator {
      var (first, end) = (start, index)
      while first < end, header[first] == 0x20 || header[first] == 0x09 { first += 1 }
      while end > first, header[end - 1] == 0x20 || header[end - 1] == 0x09 { end -= 1 }
      if first < end { parts.append(first..<end) }
      start = index + 1
    }
    return parts
  }
}
