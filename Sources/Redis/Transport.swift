import BasicContainers
import System

/// Carries bytes to and from Redis over a socket of its own, over TCP or on this machine.
///
/// An encrypted transport would have the same members: its handshake belongs to connecting, and it
/// decides itself which events it needs.
struct Transport: ~Copyable {
  private let socket: Descriptor

  /// Bytes to be written, and how many of them were.
  private var output = UniqueArray<UInt8>()
  private var sentCount = 0

  /// The events that the transport needs to get on: at first that it is connected.
  private(set) var interest: Readiness = .write

  /// Starts to connect.
  init(connectingTo address: SocketAddress) throws(SystemError) {
    socket = try .connecting(to: address)
  }

  /// The descriptor to watch.
  var descriptor: CInt { socket.number }

  /// Goes on with connecting after an event.
  ///
  /// - Returns: whether the transport is connected now.
  mutating func continueConnecting() throws(SystemError) -> Bool {
    if let error = socket.connectionError { throw error }
    interest = .read
    return true
  }

  /// Adds bytes to the output, for `flush` to write.
  mutating func append(_ bytes: borrowing Span<UInt8>) {
    output.append(copying: bytes)
  }

  /// Writes as much of the output as the kernel takes.
  mutating func flush() throws(SystemError) {
    while sentCount < output.count {
      guard let count = try socket.send(output.span.extracting(sentCount...)) else {
        interest = [.read, .write]
        return
      }
      sentCount += count
    }
    output.removeAll(keepingCapacity: true)
    sentCount = 0
    interest = .read
  }

  /// Reads the bytes that have arrived.
  ///
  /// - Returns: how many bytes were read; 0 at the end of the stream; nil when none has arrived.
  func receive(into bytes: inout OutputSpan<UInt8>) throws(SystemError) -> Int? {
    try socket.receive(into: &bytes)
  }
}
