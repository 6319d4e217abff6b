/// A rule for names of counters that a name breaks.
package enum NameError: Error, Equatable, Sendable, CaseIterable {
  case namespaceLength
  case namespaceCharacter
  case namespaceDots
  case keyLength
  case keyEncoding
  case keyControlCharacter
  case keyDots

  /// The rule.
  package var rule: StaticString {
    switch self {
    case .namespaceLength: "A namespace has 1 to 64 characters."
    case .namespaceCharacter: "A namespace is made of A-Z, a-z, 0-9, '.', '_' and '-'."
    case .namespaceDots: "A namespace is not '.' or '..'."
    case .keyLength: "A key has 1 to 128 bytes."
    case .keyEncoding: "A key is UTF-8."
    case .keyControlCharacter: "A key has no control characters."
    case .keyDots: "A key has no segment '.' or '..', which clients and proxies resolve."
    }
  }
}

/// The names of counters: a namespace and a key, with a slash between them: `blog/home`.
package enum CounterName {
  /// The longest namespace, in bytes.
  package static var longestNamespace: Int { 64 }

  /// The longest key, in bytes.
  package static var longestKey: Int { 128 }

  /// How many buckets all counters with names are divided into. The bucket is the hash tag of a
  /// counter's key, so that the keys of a bucket are in one slot of a Redis Cluster.
  static var buckets: UInt16 { 16 }

  @inline(__always)
  package static func checkNamespace(_ bytes: Span<UInt8>) throws(NameError) {
    guard bytes.count >= 1, bytes.count <= longestNamespace else { throw .namespaceLength }
    for index in 0..<bytes.count where !isNamespaceCharacter(bytes[index]) {
      throw .namespaceCharacter
    }
    if isDots(bytes, 0..<bytes.count) { throw .namespaceDots }
  }

  /// Whether a text is a valid namespace and a valid key as well, if it consists of letters, digits and
  /// `-._`: of what a segment of a plain path holds.
  package static func isPlain(_ range: Range<Int>, in bytes: Span<UInt8>) -> Bool {
    range.count >= 1 && range.count <= longestNamespace && !isDots(bytes, range)
  }

  /// Whether a text is a valid namespace.
  package static func isNamespace(_ text: String) -> Bool {
    (try? checkNamespace(Array(text.utf8).span)) != nil
  }

  /// The first rule that a namespace and a key break; nil when they are valid.
  package static func firstError(namespace: String, key: String) -> NameError? {
    do throws(NameError) {
      try checkNamespace(Array(namespace.utf8).span)
      try checkKey(Array(key.utf8).span)
    } catch {
      return error
    }
    return nil
  }

  @inline(__always)
  package static func checkKey(_ bytes: Span<UInt8>) throws(NameError) {
    guard bytes.count >= 1, bytes.count <= longestKey else { throw .keyLength }
    var start = 0
    var isASCII = true
    for index in 0..<bytes.count {
      let byte = bytes[index]
      if byte < 0x20 || byte == 0x7F { throw .keyControlCharacter }
      if byte >= 0x80 { isASCII = false }
      if byte == UInt8(ascii: "/") {
        if isDots(bytes, start..<index) { throw .keyDots }
        start = index &+ 1
      }
    }
    if isDots(bytes, start..<bytes.count) { throw .keyDots }
    if !isASCII { try checkEncoding(bytes) }
  }

  /// The bucket of a name: its CRC16, as Redis Cluster computes the slot of a key
  /// (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/), modulo 16. All bytes
  /// count, also those of a name with braces, in which Redis would see a hash tag.
  static func bucket(_ name: Span<UInt8>) -> UInt16 {
    var crc: UInt16 = 0
    for index in 0..<name.count {
      crc ^= UInt16(name[index]) << 8
      for _ in 0..<8 { crc = crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
    }
    return crc % buckets
  }

  @inline(__always)
  private static func isNamespaceCharacter(_ byte: UInt8) -> Bool {
    // A bit for each byte of ASCII: those below 64, and those from 64 on.
    let bits: UInt64 = byte < 64 ? 0x03FF_6000_0000_0000 : 0x07FF_FFFE_87FF_FFFE
    return byte < 128 && bits &>> UInt64(byte & 63) & 1 != 0
  }

  @inline(__always)
  private static func isDots(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    let dot = UInt8(ascii: ".")
    guard range.count == 1 || range.count == 2 else { return false }
    return bytes[range.lowerBound] == dot && bytes[range.upperBound &- 1] == dot
  }

  /// Checks that a key is UTF-8, without the control characters U+0080 to U+009F.
  @inline(never)
  private static func checkEncoding(_ bytes: Span<UInt8>) throws(NameError) {
    guard let text = try? UTF8Span(validating: bytes) else { throw .keyEncoding }
    var scalars = text.makeUnicodeScalarIterator()
    while let scalar = scalars.next() {
      if (0x80..<0xA0).contains(scalar.value) { throw .keyControlCharacter }
    }
  }
}
