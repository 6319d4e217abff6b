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
      return try parser.parseHead(limits)
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

  @inline(__always)
  private mutating func parseHead(
    _ limits: borrowing Limits
  ) throws(Interruption) -> RequestHead {
    try skipEmptyLines()
    let method = try parseMethod(limits.method)
    let (target, isPlain) = try parseTarget(method, limits.target)
    let minorVersion = try parseVersion()
    let fields = try parseFields(limits.fields)
    do {
      let framing = try fields.finish(minorVersion: minorVersion, bodyLimit: limits.body)
      return RequestHead(
        method: method, target: target, hasPlainPath: isPlain,
        hasSeveralAccepts: fields.hasSeveralAccepts, minorVersion: minorVersion,
        isPersistent: framing.isPersistent, body: framing.body,
        expectsContinue: framing.expectsContinue, accept: fields.accept, length: index &- start)
    } catch {
      throw .refused(error)
    }
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
  private mutating func parseMethod(_ limit: Int) throws(Interruption) -> Method {
    if bytes.starts(with: "GET ", at: index) {
      index &+= 4
      return .get
    }
    return try parseOtherMethod(limit)
  }

  @inline(never)
  private mutating func parseOtherMethod(_ limit: Int) throws(Interruption) -> Method {
    let method = index..<bytes.endOfToken(from: index)
    guard method.count <= limit else { throw .refused(.unknownMethod) }
    index = method.upperBound
    guard try next() == .space, !method.isEmpty else { throw .refused(.malformedRequestLine) }
    return Method(method, in: bytes)
  }

  /// - Returns: the target, and whether its path is plain.
  @inline(__always)
  private mutating func parseTarget(
    _ method: Method, _ limit: Int
  ) throws(Interruption) -> (Target, Bool) {
    let target = bytes.targetExtent(from: index)
    guard target.end &- index <= limit else { throw .refused(.targetTooLong) }
    let path = index..<target.endOfPath
    let query = min(target.endOfPath &+ 1, target.end)..<target.end
    index = target.end
    guard try next() == .space else { throw .refused(.malformedTarget) }
    if !target.isPlain { try checkPercentEncoding(of: path) }
    if bytes[path.lowerBound] == .slash { return (.path(path, query: query), target.isPlain) }
    return (try unusualTarget(path, query, method), target.isPlain)
  }

  /// Sorts out the forms of a target that are not a path (RFC 9112 section 3.2).
  @inline(never)
  private func unusualTarget(
    _ text: Range<Int>, _ query: Range<Int>, _ method: Method
  ) throws(Interruption) -> Target {
    guard !text.isEmpty else { throw .refused(.malformedTarget) }
    if text.count == 1, bytes[text.lowerBound] == .asterisk, query.lowerBound == text.upperBound,
      method == .options
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
    throw .refused(method == .connect ? .unknownMethod : .malformedTarget)
  }

  @inline(never)
  private func checkPercentEncoding(of path: Range<Int>) throws(Interruption) {
    for index in path where bytes[index] == .percent {
      guard bytes.percentDecodedByte(at: index, before: path.upperBound) != nil else {
        throw .refused(.malformedTarget)
      }
    }
  }

  @inline(__always)
  private mutating func parseVersion() throws(Interruption) -> UInt8 {
    if bytes.starts(with: "HTTP/1.1\r\n", at: index) {
      index &+= 10
      return 1
    }
    return try parseOtherVersion()
  }

  @inline(never)
  private mutating func parseOtherVersion() throws(Interruption) -> UInt8 {
    for letter: UInt8 in [0x48, 0x54, 0x54, 0x50, .slash] {
      try expect(letter, orRefuse: .malformedRequestLine)
    }
    let major = try next().decimalDigit
    try expect(0x2E, orRefuse: .malformedRequestLine)
    let minor = try next().decimalDigit
    guard let major, let minor else { throw .refused(.malformedRequestLine) }
    guard major == 1 else { throw .refused(.unsupportedVersion) }
    try expect(.carriageReturn, orRefuse: .malformedRequestLine)
    try expect(.lineFeed, orRefuse: .malformedRequestLine)
    return UInt8(minor)
  }
}

// MARK: - Header fields

extension RequestParser {
  @inline(never)
  private mutating func parseFields(_ limit: Int) throws(Interruption) -> FramingFields {
    // What is looked at for every field of every request is kept out of `self`, in registers.
    let bytes = bytes
    var fields = FramingFields()
    var start = index
    var count = 0
    while true {
      let colon = bytes.endOfToken(from: start)
      guard colon < bytes.count else { throw .incomplete }
      guard bytes[colon] == .colon, colon > start else {
        try parseEnd(at: start)
        return fields
      }
      count &+= 1
      guard count <= limit else { throw .refused(.headerTooLong) }

      let name = start..<colon
      let value = (colon &+ 1)..<bytes.endOfFieldValue(from: colon &+ 1)
      try parseEnd(at: value.upperBound)
      start = index
      do {
        try fields.parseField(name, value, in: bytes)
      } catch {
        throw .refused(error)
      }
    }
  }

  /// Parses an end of line where nothing else can stand.
  @inline(__always)
  private mutating func parseEnd(at start: Int) throws(Interruption) {
    index = start &+ 2
    guard !bytes.isEndOfLine(at: start) else { return }
    let isIncomplete =
      start == bytes.count || (start &+ 1 == bytes.count && bytes[start] == .carriageReturn)
    throw isIncomplete ? .incomplete : .refused(.malformedField)
  }
}
