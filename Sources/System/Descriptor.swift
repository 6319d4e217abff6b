import CLinux

/// An open file descriptor that belongs to whoever holds this value, and is closed with it.
public struct Descriptor: ~Copyable, Sendable {
  /// The number the kernel knows it by.
  public let number: CInt

  /// Takes over an open descriptor.
  public init(owning number: CInt) {
    self.number = number
  }

  /// Holds no descriptor; what a variable is given when its descriptor is to be closed.
  public static var none: Descriptor { Descriptor(owning: -1) }

  deinit {
    if number >= 0 { _ = close(number) }
  }

  /// Hands the descriptor over to somebody else, as a number.
  public consuming func release() -> CInt {
    let number = number
    discard self
    return number
  }

  /// Reads what is there, into the free part of `output`, without waiting.
  ///
  /// - Returns: how many bytes came; 0 at the end of the stream; nil when nothing is there yet.
  /// - Throws: what `recv(2)` says, `ECONNRESET` for one.
  public func receive(into output: inout OutputSpan<UInt8>) throws(SystemError) -> Int? {
    // Sound: the kernel writes at most `capacity - count` bytes from the first free one on, and
    // what it says it wrote is counted as initialized.
    let received = unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
      let count = unsafe clinux_receive(
        number, buffer.baseAddress?.advanced(by: initialized), buffer.count - initialized)
      initialized += max(count, 0)
      return count
    }
    return try Self.transferred(received, "recv")
  }

  /// Writes what the kernel takes of `bytes`, without waiting and without SIGPIPE.
  ///
  /// - Returns: how many bytes went; nil when none could go now.
  /// - Throws: what `send(2)` says, `EPIPE` and `ECONNRESET` for two.
  public func send(_ bytes: borrowing Span<UInt8>) throws(SystemError) -> Int? {
    // Sound: the kernel only reads the span's own bytes, during the call.
    let sent = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe clinux_send(number, buffer.baseAddress, buffer.count)
    }
    return try Self.transferred(sent, "send")
  }

  /// Makes the close of this socket forget what was not sent yet, and break the connection off
  /// (SO_LINGER, socket(7)).
  public func resetOnClose() {
    var now = linger(l_onoff: 1, l_linger: 0)
    // Sound: the kernel reads the one value during the call.
    unsafe setsockopt(
      number, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
  }

  private static func transferred(
    _ count: Int, _ call: StaticString
  ) throws(SystemError) -> Int? {
    if count >= 0 { return count }
    let error = SystemError(call)
    guard error.code == EAGAIN || error.code == EINTR else { throw error }
    return nil
  }
}
