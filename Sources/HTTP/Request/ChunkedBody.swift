import BasicContainers

/// Decodes a chunked body, byte by byte where its framing is, chunk by chunk where its data is
/// (RFC 9112 section 7.1).
struct ChunkedBody: Sendable, BitwiseCopyable {
  private var state = State.sizeStart
  private var chunk = 0
  private var data = 0
  private var overhead = 0

  private enum State: Sendable, BitwiseCopyable {
    case sizeStart, size, blankAfterSize, extensions, sizeEnd
    case data, dataReturn, dataEnd
    case lineStart, trailerName, trailerValue, trailerEnd, bodyEnd
    case complete
  }

  /// Whether the whole body was read.
  var isComplete: Bool { state == .complete }

  /// Reads on from `start`, as far as the body or the bytes go.
  ///
  /// - Parameter handleData: is given each range of `bytes` that holds data.
  /// - Returns: the index after the last byte that belongs to the body.
  /// - Throws: when the framing is malformed or a limit is passed.
  mutating func consume(
    _ bytes: borrowing ByteBuffer, from start: Int, _ limits: borrowing Limits,
    _ handleData: (Range<Int>) -> Void
  ) throws(RequestError) -> Int {
    var index = start
    while index < bytes.count, state != .complete {
      if state == .data {
        let part = min(chunk, bytes.count - index)
        handleData(index..<index + part)
        chunk -= part
        index += part
        if chunk == 0 { state = .dataReturn }
      } else {
        try consume(bytes[index], limits)
        index += 1
      }
    }
    return index
  }

  /// Reads one byte of the framing.
  private mutating func consume(_ byte: UInt8, _ limits: borrowing Limits) throws(RequestError) {
    switch state {
    case .sizeStart, .size, .blankAfterSize, .sizeEnd:
      try consumeSize(byte, limits)
    case .extensions, .lineStart, .trailerName, .trailerValue:
      overhead += 1
      guard overhead <= limits.header else { throw .headerTooLong }
      try consumeText(byte)
    case .dataReturn:
      state = try next(.dataEnd, if: byte == .carriageReturn)
    case .dataEnd:
      state = try next(.sizeStart, if: byte == .lineFeed)
    case .trailerEnd:
      state = try next(.lineStart, if: byte == .lineFeed)
    case .bodyEnd:
      state = try next(.complete, if: byte == .lineFeed)
    case .data, .complete:
      preconditionFailure("no framing is read there")
    }
  }

  private mutating func consumeSize(
    _ byte: UInt8, _ limits: borrowing Limits
  ) throws(RequestError) {
    if state == .sizeEnd {
      data += chunk
      guard data <= limits.body else { throw .bodyTooLong }
      state = try next(chunk == 0 ? .lineStart : .data, if: byte == .lineFeed)
      return
    }
    // Nothing else bounds leading zeros and blanks.
    if chunk == 0 || state == .blankAfterSize { overhead += 1 }
    guard overhead <= limits.header else { throw .headerTooLong }
    if state != .blankAfterSize, let digit = byte.hexadecimalDigit {
      chunk = state == .sizeStart ? digit : chunk << 4 | digit
      guard chunk <= limits.body else { throw .bodyTooLong }
      state = .size
      return
    }
    guard state != .sizeStart else { throw .malformedBody }
    switch byte {
    case .carriageReturn where state == .size: state = .sizeEnd
    case .semicolon: state = .extensions
    case .space, .tab: state = .blankAfterSize
    default: throw .malformedBody
    }
  }

  /// Extensions and trailer fields are read past; what they say changes nothing here.
  private mutating func consumeText(_ byte: UInt8) throws(RequestError) {
    switch (state, byte) {
    case (.extensions, .carriageReturn): state = .sizeEnd
    case (.lineStart, .carriageReturn): state = .bodyEnd
    case (.trailerValue, .carriageReturn): state = .trailerEnd
    case (.trailerName, .colon): state = .trailerValue
    case (.lineStart, _), (.trailerName, _):
      state = try next(.trailerName, if: byte.isTokenCharacter)
    default:
      state = try next(state, if: byte.isFieldCharacter)
    }
  }

  private func next(_ state: State, if isRight: Bool) throws(RequestError) -> State {
    guard isRight else { throw .malformedBody }
    return state
  }
}
