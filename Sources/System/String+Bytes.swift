extension String {
  /// A copy of bytes as UTF-8, with U+FFFD in place of what is none.
  package init(copying bytes: Span<UInt8>) {
    // Sound: the string copies the bytes during the call.
    self = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }
}

extension StaticString {
  /// The text in UTF-8.
  @inlinable @inline(__always)
  public var bytes: Span<UInt8> {
    @_lifetime(immortal)
    get {
      // Sound: the text is a constant of the program, and its count is its own.
      let span = unsafe Span(_unsafeStart: utf8Start, count: utf8CodeUnitCount)
      return unsafe _overrideLifetime(span, copying: ())
    }
  }

  /// One byte of the text in UTF-8.
  @inlinable @inline(__always)
  public func byte(_ index: Int) -> UInt8 {
    precondition(index >= 0 && index < utf8CodeUnitCount)
    // Sound: the index was just compared with the text's own count.
    return unsafe utf8Start[index]
  }
}

extension Span<UInt8> {
  /// Whether the bytes begin with a text.
  package func starts(with text: StaticString) -> Bool {
    let start = text.bytes
    guard count >= start.count else { return false }
    return (0..<start.count).allSatisfy { self[$0] == start[$0] }
  }
}
