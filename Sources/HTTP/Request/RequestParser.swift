import BasicContainers

/// Reads a request line and header fields out of the bytes a client sent so far (RFC 9112 sections
/// 2, 3 and 5).
///
/// One pass, no copy, no allocation, and stricter than a server must be: lines end with CR LF and
/// nothing else, folded lines and blanks before a colon are refused, and so is everything that two
/// parsers could read in two ways.
struct RequestParser: ~Copyable, ~Escapable {
  private let bytes: Span<UInt8>
  private let start: Int
  private var index: Int
  private var head = RequestHead()
  private var fields = FieldsThatMatter()

  /// Why parsing stopped before the end of a head.
  private enum Interruption: Error {
    case incomplete
    case refused(Refusal)
  }

  /// - Returns: the request that starts at `start`, or nil when it is not all there.
  /// - Throws: why it is none, as soon as that is certain.
  static func parse(
    _ bytes: borrowing ByteBuffer, from start: Int, _ limits: borrowing Limits
  ) throws(Refusal) -> RequestHead? {
    do throws(Interruption) {
      var parser = RequestParser(bytes.span, from: start)
      try parser.parseRequestLine(limits)
      try parser.parseFields(limits)
      return try parser.finished(limits)
    } catch {
      if case .refused(let refusal) = error { throw refusal }
      guard bytes.count - start <= limits.header else { throw .headerTooLong }
      return nil
    }
  }

  @_lifetime(copy bytes)
  private init(_ bytes: Span<UInt8>, from start: Int) {
    self.bytes = bytes
    self.start = start
    index = start
  }

  /// Consumes a byte.
  @inline(__always)
  private mutating func next() throws(Interruption) -> UInt8 {
    guard index < bytes.count else { throw .incomplete }
    let byte = bytes[index]
    index &+= 1
    return byte
  }

  /// Consumes a byte that can only be this one.
  @inline(__always)
  private mutating func expect(
    _ byte: UInt8, orRefuse refusal: Refusal
  ) throws(Interruption) {
    guard try next() == byte else { throw .refused(refusal) }
  }
}

// MARK: - Request line

extension RequestParser {
  private mutating func parseRequestLine(_ limits: borrowing Limits) throws(Interruption) {
    try skipEmptyLines()
    head.method = try parseMethod(limits)
    head.target = try parseTarget(limits)
    head.minorVersion = try parseVersion()
  }

  /// Some old clients end a body with an empty line that does not belong to it (RFC 9112 section
  /// 2.2).
  private mutating func skipEmptyLines() throws(Interruption) {
    while index < bytes.count, bytes[index] == .carriageReturn {
      index &+= 1
      try expect(.lineFeed, orRefuse: .malformedRequestLine)
    }
  }

  private mutating func parseMethod(_ limits: borrowing Limits) throws(Interruption) -> Method {
    let first = index
    var word: UInt64 = 0
    while true {
      let byte = try next()
      if byte == .space { break }
      guard byte.isTokenCharacter else { throw .refused(.malformedRequestLine) }
      guard index &- first <= limits.method else { throw .refused(.unknownMethod) }
      word = word << 8 | UInt64(byte)
    }
    switch word {
    case 0: throw .refused(.malformedRequestLine)
    case 0x47_45_54: return .get
    case 0x48_45_41_44: return .head
    case 0x4F_50_54_49_4F_4E_53: return .options
    default: return .other
    }
  }

  private mutating func parseTarget(_ limits: borrowing Limits) throws(Interruption) -> Target {
    let first = index
    var end: Int?
    var isEncoded = false
    while true {
      let byte = try next()
      if byte == .space { break }
      guard byte.isTargetCharacter else { throw .refused(.malformedTarget) }
      guard index &- first <= limits.target else { throw .refused(.targetTooLong) }
      if end == nil {
        if byte == .question { end = index &- 1 }
        if byte == .percent { isEncoded = true }
      }
    }
    let path = first..<(end ?? index &- 1)
    if isEncoded { try checkPercentEncoding(of: path) }
    return try target(path)
  }

  /// Sorts out the four forms of a target (RFC 9112 section 3.2).
  private func target(_ text: Range<Int>) throws(Interruption) -> Target {
    guard !text.isEmpty else { throw .refused(.malformedTarget) }
    if bytes[text.lowerBound] == .slash { return .path(text) }
    if text.count == 1, bytes[text.lowerBound] == .asterisk, head.method == .options {
      return .server
    }
    for scheme: StaticString in ["http://", "https://"] {
      let authority = text.lowerBound + scheme.utf8CodeUnitCount
      guard authority < text.upperBound, bytes.spells(scheme, text.lowerBound..<authority) else {
        continue
      }
      var slash = authority
      while slash < text.upperBound, bytes[slash] != .slash {
        guard bytes[slash].isHostCharacter else { throw .refused(.malformedTarget) }
        slash += 1
      }
      guard slash > authority else { throw .refused(.malformedTarget) }
      return .path(slash..<text.upperBound)
    }
    throw .refused(head.method == .other ? .unknownMethod : .malformedTarget)
  }

  private func checkPercentEncoding(of path: Range<Int>) throws(Interruption) {
    for index in path where bytes[index] == .percent {
      guard index + 2 < path.upperBound, bytes[index + 1].hexadecimalDigit != nil,
        bytes[index + 2].hexadecimalDigit != nil
      else { throw .refused(.malformedTarget) }
    }
  }

  private mutating func parseVersion() throws(Interruption) -> UInt8 {
    for letter: UInt8 in [0x48, 0x54, 0x54, 0x50, .slash] {
      try expect(letter, orRefuse: .malformedRequestLine)
    }
    let major = try next().decimalDigit
    try expect(0x2E, orRefuse: .malformedRequestLine)
    let minor = try next().decimalDigit
    try expect(.carriageReturn, orRefuse: .malformedRequestLine)
    try expect(.lineFeed, orRefuse: .malformedRequestLine)
    guard let major, let minor else { throw .refused(.malformedRequestLine) }
    guard major == 1 else { throw .refused(.unsupportedVersion) }
    return UInt8(minor)
  }
}

// MARK: - Header fields

extension RequestParser {
  private mutating func parseFields(_ limits: borrowing Limits) throws(Interruption) {
    var count = 0
    while true {
      let first = index
      var byte = try next()
      if byte == .carriageReturn {
        try expect(.lineFeed, orRefuse: .malformedField)
        return
      }
      count &+= 1
      guard count <= limits.fields else { throw .refused(.headerTooLong) }

      while byte.isTokenCharacter { byte = try next() }
      let name = first..<(index &- 1)
      guard byte == .colon, !name.isEmpty else { throw .refused(.malformedField) }

      let value = index..<bytes.endOfFieldValue(from: index)
      index = value.upperBound
      try expect(.carriageReturn, orRefuse: .malformedField)
      try expect(.lineFeed, orRefuse: .malformedField)
      do {
        try fields.take(name, value, in: bytes)
      } catch {
        throw .refused(error)
      }
    }
  }

  /// Puts together what the fields said, where one changes what another means.
  private consuming func finished(
    _ limits: borrowing Limits
  ) throws(Interruption) -> RequestHead {
    guard index &- start <= limits.header else { throw .refused(.headerTooLong) }
    var head = head
    head.length = index &- start
    do {
      try fields.finish(&head, limits)
    } catch {
      throw .refused(error)
    }
    return head
  }
}
