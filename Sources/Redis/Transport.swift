import System

/// A socket that is connected to Redis, and what encrypts its bytes, if they are encrypted.
struct Transport: ~Copyable {
  private let socket: Descriptor
  private let session: TLSSession?

  /// Starts to connect.
  ///
  /// - Parameters:
  ///   - host: the name or the numeric address that the server's certificate has to be for.
  ///   - tls: encrypts the connection; nil for a plain one.
  init(
    connectingTo address: SocketAddress, host: String, tls: TLSClient?
  ) throws(RedisError) {
    let socket: Descriptor
    do throws(SystemError) {
      socket = try .connecting(to: address)
    } catch {
      throw .system(error)
    }
    session = try tls?.makeSession(with: host, on: socket.number)
    self.socket = socket
  }

  deinit {
    // While the socket is still open.
    session?.sendClose()
  }

  /// The descriptor to watch.
  var descriptor: CInt { socket.number }

  /// The reason why the attempt to connect failed; nil when it succeeded.
  var connectionError: SystemError? { socket.connectionError }

  /// Whether bytes are encrypted, which takes a handshake first.
  var isEncrypted: Bool { session != nil }

  /// Whether something has to be written though nothing is left to send.
  var isWriteBlocked: Bool { session?.isWriteBlocked == true }

  /// Whether bytes may be received without an event of the poller. Those of a part of a record count, too.
  var hasBufferedInput: Bool { session?.hasBufferedInput == true }

  /// Goes on with the handshake.
  ///
  /// - Returns: whether bytes can be sent.
  func handshake() throws(RedisError) -> Bool {
    try session?.handshake() ?? true
  }

  /// Reads the bytes that have arrived into the free part of `output`, without waiting.
  ///
  /// - Returns: how many bytes were read; 0 at the end of the stream; nil when none has arrived.
  func receive(into output: inout OutputSpan<UInt8>) throws(RedisError) -> Int? {
    if let session { return try session.receive(into: &output) }
    do throws(SystemError) {
      return try socket.receive(into: &output)
    } catch {
      throw .system(error)
    }
  }

  /// Writes as many bytes as the kernel takes, without waiting.
  ///
  /// - Returns: how many bytes were written; nil when the kernel takes none now.
  func send(_ bytes: borrowing Span<UInt8>) throws(RedisError) -> Int? {
    if let session { return try session.send(bytes) }
    do throws(SystemError) {
      return try socket.send(bytes)
    } catch {
      throw .system(error)
    }
  }
}
