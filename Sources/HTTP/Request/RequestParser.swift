import BasicContainers

/// Reads a request line and header fields out of the bytes a client sent so far (RFC 9112 sections
/// 2, 3 and 5).
///
/// One pass, no copy, no allocation, and stricter than a server must be: lines end with CR LF and
/// nothing else, folded lines and blanks before a colon are refused, and so is everything that two
/// parsers could read in two ways.
struct RequestParser: ~Escapable {
  private let bytes: Span<UInt8>
  private let start: Int
  private var index: Int
  private var head = RequestHead()
  private var fields = FramingFields()

  /// Why parsing stopped before the end of a head.
  private enum Interruption: Error {
    case incomplete
    case refused(RequestError)
  }

  /// - Returns: the request that starts at `start`, or nil when it is not all there.
  /// - Throws: why it is none, as soon as that is certain.
  @inline(__always)
  static func parse(
    _ bytes: borrowing ByteBuffer, from start: Int, _ limits: borrowing Limits
  ) throws(RequestError) -> RequestHead? {
    do throws(Interruption) {
      // What stands beyond the limit is not looked at, or it would matter how much has come.
      let end = min(bytes.count, start &+ limits.header)
      var parser = RequestParser(bytes.span.extracting(..<end), from: start)
      try parser.parseRequestLine(limits)
      try parser.parseFields(limits)
      try parser.finish(limits)
      return parser.head
    } catch {
      if case .refused(let error) = error { throw error }
      guard bytes.count - start <= limits.header else { throw .headerTooLong }
      return nil
    }
  }

  @inline(__always)
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
    _ byte: UInt8, orRefuse error: RequestError
  ) throws(Interruption) {
    guard try next() == byte else { throw .refused(error) }
  }
}

// MARK: - Request line

extension RequestParser {
  @inline(__always)
  private mutating func parseRequestLine(_ limits: borrowing Limits) throws(Interruption) {
    try skipEmptyLines()
    head.method = try parseMethod(limits)
    head.target = try parseTarget(limits)
    head.minorVersion = try parseVersion()
  }

  /// Some old clients end a body with an empty line that does not belong to it (RFC 9112 section
  /// 2.2).
  @inline(__always)
  private mutating func skipEmptyLines() throws(Interruption) {
    while index < bytes.count, bytes[index] == .carriageReturn {
      index &+= 1
      try expect(.lineFeed, orRefuse: .malformedRequestLine)
    }
  }

  @inline(__always)
  private mutating func parseMethod(_ limits: borrowing Limits) throws(Interruption) -> Method {
    if bytes.starts(with: "GET ", at: index) {
      index &+= 4
      return .get
    }
    let method = index..<bytes.endOfToken(from: index)
    guard method.count <= limits.method else { throw .refused(.unknownMethod) }
    index = method.upperBound
    guard try next() == .space, !method.isEmpty else { throw .refused(.malformedRequestLine) }
    return Method(method, in: bytes)
  }

  @inline(__always)
  private mutating func parseTarget(_ limits: borrowing Limits) throws(Interruption) -> Target {
    let target = bytes.targetExtent(from: index)
    guard target.end &- index <= limits.target else { throw .refused(.targetTooLong) }
    let path = index..<target.endOfPath
    let query = min(target.endOfPath &+ 1, target.end)..<target.end
    index = target.end
    guard try next() == .space else { throw .refused(.malformedTarget) }
    if target.isEncoded { try checkPercentEncoding(of: path) }
    return try self.target(path, query)
  }

  /// Sorts out the four forms of a target (RFC 9112 section 3.2).
  @inline(__always)
  private func target(_ text: Range<Int>, _ query: Range<Int>) throws(Interruption) -> Target {
    guard !text.isEmpty else { throw .refused(.malformedTarget) }
    if bytes[text.lowerBound] == .slash { return .path(text, query: query) }
    if text.count == 1, bytes[text.lowerBound] == .asterisk, query.lowerBound == text.upperBound,
      head.method == .options
    {
      return .server
    }
    for scheme: StaticString in ["http://", "https://"] {
      let authority = text.lowerBound + scheme.utf8CodeUnitCount
      guard authority < text.upperBound, bytes.spells(scheme, text.lowerBound..<authority) else {
        continue
      }
      var slash = authority
      while slash < text.upperBound, bytes[slash] != .slash { slash += 1 }
      // There must be a host, and not just a port (RFC 9110 section 4.2.1).
      guard slash > authority, bytes[authority] != .colon, bytes.isHost(authority..<slash) else {
        throw .refused(.malformedTarget)
      }
      return .path(slash..<text.upperBound, query: query)
    }
    // The fourth form is CONNECT's.
    throw .refused(head.method == .connect ? .unknownMethod : .malformedTarget)
  }

  private func checkPercentEncoding(of path: Range<Int>) throws(Interruption) {
    for index in path where bytes[index] == .percent {
      guard bytes.isPercentEncoded(index, path.upperBound) else {
        throw .refused(.malformedTarget)
      }
    }
  }

  @inline(__always)
  private mutating func parseVersion() throws(Interruption) -> UInt8 {
    let version: UInt8
    if bytes.starts(with: "HTTP/1.1", at: index) {
      version = 1
      index &+= 8
    } else if bytes.starts(with: "HTTP/1.0", at: index) {
      version = 0
      index &+= 8
    } else {
      version = try parseUnusualVersion()
    }
    try expect(.carriageReturn, orRefuse: .malformedRequestLine)
    try expect(.lineFeed, orRefuse: .malformedRequestLine)
    return version
  }

  private mutating func parseUnusualVersion() throws(Interruption) -> UInt8 {
    for letter: UInt8 in [0x48, 0x54, 0x54, 0x50, .slash] {
      try expect(letter, orRefuse: .malformedRequestLine)
    }
    let major = try next().decimalDigit
    try expect(0x2E, orRefuse: .malformedRequestLine)
    let minor = try next().decimalDigit
    guard let major, let minor else { throw .refused(.malformedRequestLine) }
    guard major == 1 else { throw .refused(.unsupportedVersion) }
    return UInt8(minor)
  }
}

// MARK: - Header fields

extension RequestParser {
  private mutating func parseFields(_ limits: borrowing Limits) throws(Interruption) {
    // What is looked at for every field of every request is kept out of `self`, in registers.
    let bytes = bytes
    var start = index
    var count = 0
    while true {
      let name = start..<bytes.endOfToken(from: start)
      guard name.upperBound < bytes.count else { throw .incomplete }
      guard bytes[name.upperBound] == .colon, !name.isEmpty else {
        index = start
        return try parseEnd()
      }
      count &+= 1
      guard count <= limits.fields else { throw .refused(.headerTooLong) }

      let value = (name.upperBound &+ 1)..<bytes.endOfFieldValue(from: name.upperBound &+ 1)
      start = value.upperBound &+ 2
      guard bytes.isEndOfLine(at: value.upperBound) else {
        index = value.upperBound
        return try parseEnd()
      }
      do {
        try fields.parseField(name, value, in: bytes)
      } catch {
        throw .refused(error)
      }
    }
  }

  /// Parses an end of line where nothing else can stand.
  private mutating func parseEnd() throws(Interruption) {
    try expect(.carriageReturn, orRefuse: .malformedField)
    try expect(.lineFeed, orRefuse: .malformedField)
  }

  /// Puts together what the fields said, where one changes what another means.
  @inline(__always)
  private mutating func finish(_ limits: borrowing Limits) throws(Interruption) {
    head.length = index &- start
    do {
      try fields.finish(&head, limits)
    } catch {
      throw .refused(error)
    }
  }
}
