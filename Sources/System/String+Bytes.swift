extension String {
  /// A copy of bytes as UTF-8, with U+FFFD in place of what is none.
  package init(copying bytes: Span<UInt8>) {
    // Sound: the string copies the bytes during the call.
    self = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }
}
