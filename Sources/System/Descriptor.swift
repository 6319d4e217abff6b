public import CLinux

/// An open file descriptor. This value owns it, and closes it at the end of its life.
public struct Descriptor: ~Copyable, Sendable {
  /// The number the kernel knows it by.
  public let number: CInt

  /// Becomes the owner of an open descriptor.
  public init(owning number: CInt) {
    self.number = number
  }

  /// No descriptor: assigning it to a variable closes the descriptor that was there.
  public static var none: Descriptor { Descriptor(owning: -1) }

  deinit {
    if number >= 0 { _ = close(number) }
  }

  /// Gives up ownership: the caller has to close the descriptor.
  public consuming func release() -> CInt {
    let number = number
    discard self
    return number
  }

  /// Reads the bytes that have arrived into the free part of `output`, without waiting.
  ///
  /// - Returns: how many bytes were read; 0 at the end of the stream; nil when none has arrived.
  /// - Throws: the error of `recv(2)`, `ECONNRESET` for one.
  public func receive(into output: inout OutputSpan<UInt8>) throws(SystemError) -> Int? {
    repeat {
      // Sound: the kernel writes at most `capacity - count` bytes from the first free one on, and as
      // many as it reports are counted as initialized.
      let received = unsafe output.withUnsafeMutableBufferPointer { buffer, initialized in
        let count = unsafe clinux_receive(
          number, buffer.baseAddress?.advanced(by: initialized), buffer.count - initialized)
        initialized += max(count, 0)
        return count
      }
      if received >= 0 { return received }
    } while try Self.wasInterrupted("recv")
    return nil
  }

  /// Writes as many bytes as the kernel takes, without waiting and without SIGPIPE.
  ///
  /// - Returns: how many bytes were written; nil when the kernel takes none now.
  /// - Throws: the error of `send(2)`, `EPIPE` and `ECONNRESET` for two.
  @inlinable @inline(__always)
  public func send(_ bytes: borrowing Span<UInt8>) throws(SystemError) -> Int? {
    repeat {
      // Sound: the kernel only reads the span's own bytes, during the call.
      let sent = unsafe bytes.withUnsafeBufferPointer { buffer in
        unsafe clinux_send(number, buffer.baseAddress, buffer.count)
      }
      if sent >= 0 { return sent }
    } while try Self.wasInterrupted("send")
    return nil
  }

  /// Makes closing this socket discard unsent bytes and reset the connection (SO_LINGER, socket(7)).
  public func resetOnClose() {
    var now = linger(l_onoff: 1, l_linger: 0)
    // Sound: the kernel reads the one value during the call.
    unsafe setsockopt(
      number, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
  }

  /// Whether a failed call has to be made again, because a signal interrupted it.
  ///
  /// - Throws: any error but the one that says that the call would have to wait.
  @usableFromInline
  static func wasInterrupted(_ call: StaticString) throws(SystemError) -> Bool {
    let error = SystemError(call)
    switch error.code {
    case EINTR: return true
    case EAGAIN: return false
    default: throw error
    }
  }
}
