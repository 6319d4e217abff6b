import System
import Glibc

/// A client that never waits, and takes whatever comes.
final class LoopbackClient {
  private let socket: Descriptor
  private(set) var received: [UInt8] = []

  /// Whether the server has closed, or reset, the connection.
  private(set) var isClosed = false

  init(_ port: UInt16) throws {
    socket = try Self.connected(to: port)
    // Sends each piece by itself, and goes without a trace: a fuzzer opens thousands a second.
    var one: CInt = 1
    unsafe setsockopt(
      socket.number, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
    var linger = linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(
      socket.number, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
  }

  private static func connected(to port: UInt16) throws -> Descriptor {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    while true {
      let socket = Descriptor(owning: Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0))
      let status = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          unsafe connect(socket.number, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      if status == 0 { return socket }
      // A fuzzer's clock interrupts it at times; the next one takes another socket.
      guard errno == EINTR else { throw SystemError("connect") }
    }
  }

  /// Sends what the kernel takes.
  func send(_ bytes: ArraySlice<UInt8>) -> Int {
    do {
      return try socket.send(bytes.span) ?? 0
    } catch {
      // The server wants no more.
      return bytes.count
    }
  }

  /// Says that nothing more will be sent.
  func endSending() {
    shutdown(socket.number, CInt(SHUT_WR))
  }

  /// Takes what has come.
  func receive() {
    var bytes = [UInt8](repeating: 0, count: 4096)
    while !isClosed {
      let count = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe recv(socket.number, buffer.baseAddress, buffer.count, CInt(MSG_DONTWAIT))
      }
      if count > 0 { received += bytes[..<count] }
      if count < 0 && (errno == EAGAIN || errno == EINTR) { return }
      if count <= 0 { isClosed = true }
    }
  }
}
