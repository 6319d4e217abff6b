/// The few header fields that decide how a request is framed and whether its connection stays, and where
/// its Accept field is.
struct FramingFields {
  /// The value of the first Accept field, which programs ask for most, with the blanks around it; empty
  /// without one.
  private(set) var accept = 0..<0
  private(set) var hasSeveralAccepts = false

  private var hosts = 0
  private var contentLength: Int?
  private var transferCoding: TransferCoding?
  private var hasClose = false
  private var hasKeepAlive = false
  private var expects100 = false
  private var hasUnknownExpectation = false

  /// What the Transfer-Encoding fields said so far.
  private struct TransferCoding {
    /// The last coding so far is chunked.
    var endsChunked = false
    /// There was one that this server does not read.
    var hasUnknown = false
  }

  /// Parses a field, if it is one of these.
  ///
  /// - Parameter name: is not empty.
  ///
  /// - Throws: when it contradicts itself or an earlier one.
  @inline(__always)
  mutating func parseField(
    _ name: Range<Int>, _ value: Range<Int>, in bytes: Span<UInt8>
  ) throws(RequestError) {
    // The first letter and the length tell nearly all other fields apart from these.
    let letter = bytes[name.lowerBound] & 0x1F
    if Self.initials &>> UInt32(letter) & 1 != 0, Self.lengths &>> UInt32(name.count & 31) & 1 != 0
    {
      if letter == 1 { return noteAccept(name, value, in: bytes) }
      try parseFramingField(name, value, in: bytes)
    }
  }

  /// Notes a field whose name begins with A, if it is Accept.
  @inline(__always)
  private mutating func noteAccept(
    _ name: Range<Int>, _ value: Range<Int>, in bytes: Span<UInt8>
  ) {
    guard bytes.spells("accept", name) else { return }
    if accept.isEmpty { accept = value } else { hasSeveralAccepts = true }
  }

  /// The first letters of the fields, A, C, E, H and T, each as its place in the alphabet.
  private static var initials: UInt32 { 1 << 1 | 1 << 3 | 1 << 5 | 1 << 8 | 1 << 20 }

  /// The lengths of their names, modulo 32.
  private static var lengths: UInt32 { 1 << 4 | 1 << 6 | 1 << 10 | 1 << 14 | 1 << 17 }

  @inline(never)
  private mutating func parseFramingField(
    _ name: Range<Int>, _ value: Range<Int>, in bytes: Span<UInt8>
  ) throws(RequestError) {
    if bytes.spells("host", name) {
      try parseHost(bytes.trimmed(value), in: bytes)
    } else if bytes.spells("connection", name) {
      parseConnection(bytes.trimmed(value), in: bytes)
    } else if bytes.spells("content-length", name) {
      try parseContentLength(bytes.trimmed(value), in: bytes)
    } else if bytes.spells("transfer-encoding", name) {
      try parseTransferEncoding(value, in: bytes)
    } else if bytes.spells("expect", name) {
      parseExpectation(bytes.trimmed(value), in: bytes)
    }
  }

  /// What the fields say together, once all were parsed.
  ///
  /// - Throws: when they leave in doubt where the body ends, or ask for what cannot be done.
  @inline(__always)
  func finish(
    minorVersion: UInt8, bodyLimit: Int
  ) throws(RequestError) -> (isPersistent: Bool, body: BodyFraming, expectsContinue: Bool) {
    guard hosts == 1 || (hosts == 0 && minorVersion == 0) else { throw .malformedHost }
    let isPersistent = !hasClose && (minorVersion > 0 || hasKeepAlive)
    let hasBody = contentLength != nil || transferCoding != nil
    let body = hasBody ? try framing(minorVersion, bodyLimit) : .none
    if hasUnknownExpectation, minorVersion > 0 { throw .unknownExpectation }
    return (isPersistent, body, expects100 && minorVersion > 0 && body != .none)
  }

  /// RFC 9112 section 6.3, with every doubtful case refused.
  @inline(never)
  private func framing(_ minorVersion: UInt8, _ limit: Int) throws(RequestError) -> BodyFraming {
    guard let coding = transferCoding else {
      let length = contentLength ?? 0
      guard length <= limit else { throw .bodyTooLong }
      return length == 0 ? .none : .length(length)
    }
    guard contentLength == nil, minorVersion > 0 else { throw .ambiguousFraming }
    guard coding.endsChunked else { throw .ambiguousFraming }
    guard !coding.hasUnknown else { throw .unknownTransferCoding }
    return .chunked
  }

  /// RFC 9110 section 7.2; RFC 9112 section 3.2.
  private mutating func parseHost(
    _ value: Range<Int>, in bytes: Span<UInt8>
  ) throws(RequestError) {
    hosts += 1
    guard bytes.isHost(value) else { throw .malformedHost }
  }

  /// RFC 9110 section 10.1.1.
  private mutating func parseExpectation(_ value: Range<Int>, in bytes: Span<UInt8>) {
    if bytes.spells("100-continue", value) {
      expects100 = true
    } else {
      hasUnknownExpectation = true
    }
  }

  /// RFC 9110 section 7.6.1.
  private mutating func parseConnection(_ value: Range<Int>, in bytes: Span<UInt8>) {
    // The value that every browser sends. This saves it 150 instructions.
    if bytes.spells("keep-alive", value) {
      hasKeepAlive = true
      return
    }
    bytes.eachElement(of: value) { option in
      if bytes.spells("close", option) { hasClose = true }
      if bytes.spells("keep-alive", option) { hasKeepAlive = true }
    }
  }

  /// RFC 9110 section 8.6. A second one is refused even when it says the same.
  private mutating func parseContentLength(
    _ value: Range<Int>, in bytes: Span<UInt8>
  ) throws(RequestError) {
    guard contentLength == nil, !value.isEmpty else { throw .ambiguousFraming }
    var length = 0
    for index in value {
      guard let digit = bytes[index].decimalDigit else { throw .ambiguousFraming }
      // What does not fit is longer than any limit.
      let (product, tooLong) = length.multipliedReportingOverflow(by: 10)
      length = tooLong || product > .max - 9 ? .max - 9 : product + digit
    }
    contentLength = length
  }

  /// RFC 9112 section 6.1. Chunked comes last and only once, or nobody knows where the body ends.
  private mutating func parseTransferEncoding(
    _ value: Range<Int>, in bytes: Span<UInt8>
  ) throws(RequestError) {
    var coding = transferCoding ?? TransferCoding()
    var isMalformed = false
    bytes.eachElement(of: value) { element in
      if coding.endsChunked { isMalformed = true }
      if bytes.spells("chunked", element) {
        coding.endsChunked = true
      } else {
        coding.hasUnknown = true
      }
    }
    guard !isMalformed else { throw .ambiguousFraming }
    transferCoding = coding
  }
}
