/// What the Accept field of a request says of `text/plain` and of `application/json` (RFC 9110 section
/// 12.5.1). JSON is the default: only a client that prefers text gets it.
package struct MediaPreference {
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

  /// Whether the client of a request prefers plain text.
  ///
  /// - Parameter bytes: what the ranges of the request refer to.
  package static func isText(_ bytes: Span<UInt8>, _ request: Request) -> Bool {
    request.hasSeveralAccepts
      ? isText(header: bytes.extracting(request.header)) : isText(bytes, request.accept)
  }

  /// - Parameter accept: the value of the field with the blanks around it; empty without one.
  static func isText(_ bytes: Span<UInt8>, _ accept: Range<Int>) -> Bool {
    // `*/*` is what most programs send.
    if accept.count <= 4 { return false }
    var preference = MediaPreference()
    preference.addRanges(bytes, accept)
    return preference.prefersText
  }

  /// Reads all Accept fields of a header as one list (RFC 9110 section 5.3).
  @inline(never)
  private static func isText(header: Span<UInt8>) -> Bool {
    var preference = MediaPreference()
    var lines = HeaderLines(header)
    while let field = lines.next() {
      if header.spells("accept", field.name) { preference.addRanges(header, field.value) }
    }
    return preference.prefersText
  }

  private var prefersText: Bool { text.value > json.value }

  private mutating func addRanges(_ bytes: Span<UInt8>, _ list: Range<Int>) {
    var start = list.lowerBound
    while start < list.upperBound {
      while start < list.upperBound, bytes[start].isBlank { start &+= 1 }
      let end = bytes.firstIndex(of: .comma, in: start..<list.upperBound)
      // `image/webp` and the like, of which pictures are asked for with many, need no second look.
      if start < end, Self.isInitial(bytes[start]) { addRange(bytes, start..<end) }
      start = end &+ 1
    }
  }

  /// Whether a media range that matches either type can begin with a byte.
  @inline(__always)
  private static func isInitial(_ byte: UInt8) -> Bool {
    byte == .asterisk || byte | 0x20 == UInt8(ascii: "t") || byte | 0x20 == UInt8(ascii: "a")
  }

  /// Adds a media range with its parameters.
  @inline(__always)
  private mutating func addRange(_ bytes: Span<UInt8>, _ element: Range<Int>) {
    let endOfRange = bytes.firstIndex(of: .semicolon, in: element)
    let range = bytes.trimmed(element.lowerBound..<endOfRange)
    let (ofText, ofJSON) = Self.specificity(bytes, range)
    guard ofText > 0 || ofJSON > 0 else { return }
    let quality = Self.quality(bytes, endOfRange..<element.upperBound)
    text.add(ofText, quality)
    json.add(ofJSON, quality)
  }

  /// How specific a media range is for either type; 0 when it does not match.
  @inline(__always)
  private static func specificity(
    _ bytes: Span<UInt8>, _ range: Range<Int>
  ) -> (ofText: Int, ofJSON: Int) {
    switch range.count {
    case 3 where bytes.spells("*/*", range): (1, 1)
    case 6 where bytes.spells("text/*", range): (2, 0)
    case 10 where bytes.spells("text/plain", range): (3, 0)
    case 13 where bytes.spells("application/*", range): (0, 2)
    case 16 where bytes.spells("application/json", range): (0, 3)
    default: (0, 0)
    }
  }

  /// The weight among the parameters of a range, in thousandths; 1000 without one.
  @inline(__always)
  private static func quality(_ bytes: Span<UInt8>, _ parameters: Range<Int>) -> Int {
    var quality = 1000
    var start = parameters.lowerBound
    while start < parameters.upperBound {
      let end = bytes.firstIndex(of: .semicolon, in: start..<parameters.upperBound)
      if let weight = weight(bytes, bytes.trimmed(start..<end)) { quality = weight }
      start = end &+ 1
    }
    return quality
  }

  /// The weight that a parameter `q=0.5` gives, in thousandths; nil for another parameter.
  private static func weight(_ bytes: Span<UInt8>, _ parameter: Range<Int>) -> Int? {
    guard parameter.count >= 3, bytes.spells("q=", parameter.lowerBound..<parameter.lowerBound + 2)
    else { return nil }
    guard bytes[parameter.lowerBound + 2] == UInt8(ascii: "0") else { return 1000 }
    var weight = 0
    var unit = 100
    for index in min(parameter.lowerBound + 4, parameter.upperBound)..<parameter.upperBound {
      guard let digit = bytes[index].decimalDigit else { break }
      weight += digit * unit
      unit /= 10
    }
    return weight
  }
}
