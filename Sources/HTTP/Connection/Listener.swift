import CLinux
package import System
import Telemetry

/// A socket that clients connect to.
package struct Listener: ~Copyable {
  let socket: Descriptor

  /// The port it listens on; what the kernel chose when 0 was asked for.
  package let port: UInt16

  /// The bytes that the kernel is asked to keep at most for a client, in and out. It takes twice that
  /// for its own bookkeeping (socket(7)), and counts it as memory of the container.
  private static var kernelBuffer: CInt { 1 << 14 }

  /// Listens on a numeric address.
  ///
  /// Several listeners of one user may share an address, and the kernel deals connections out
  /// among them (SO_REUSEPORT, socket(7)). An IPv6 wildcard takes IPv4 as well.
  ///
  /// - Throws: `EADDRINUSE` when another program listens there.
  package init(host: String, port: UInt16) throws(SystemError) {
    let socket = try Self.bound(host, port, sharing: true)
    try socket.setOption(CInt(IPPROTO_TCP), TCP_NODELAY)
    // Accepted sockets inherit the sizes. By itself the kernel would keep megabytes for a client
    // that sends without reading.
    for buffer in [SO_RCVBUF, SO_SNDBUF] {
      try socket.setOption(SOL_SOCKET, buffer, to: Self.kernelBuffer)
    }
    _ = try systemCall("listen") { listen(socket.number, CInt(SOMAXCONN)) }
    try self.init(owning: socket.release())
  }

  /// Takes over a listening socket.
  ///
  /// - Parameter socket: what `release` gave.
  package init(owning socket: CInt) throws(SystemError) {
    self.socket = Descriptor(owning: socket)
    port = try Self.port(of: self.socket)
  }

  /// Hands the socket over to another thread.
  package consuming func release() -> CInt { socket.release() }

  /// Makes sure that no program listens on an address yet, which sharing it would not notice.
  package static func check(host: String, port: UInt16) throws(SystemError) {
    _ = try bound(host, port, sharing: false)
  }

  /// Takes a connection from the backlog, or nothing when none is there.
  ///
  /// - Throws: an error that concerns more than one connection, `EMFILE` for one; the backlog may
  ///   not be empty then.
  func accept() throws(SystemError) -> Accepted? {
    var attempts = 0
    while true {
      var address = in6_addr()
      // Sound: the call fills in the 16 bytes it is handed.
      let number = unsafe clinux_accept(socket.number, &address)
      if number >= 0 {
        let bits = unsafe UInt128(bigEndian: unsafeBitCast(address, to: UInt128.self))
        return Accepted(socket: Descriptor(owning: number), peer: NetworkAddress(bits: bits))
      }
      let error = SystemError("accept4")
      if error.code == EAGAIN { return nil }
      attempts += 1
      guard Self.concernsOneConnection(error), attempts < 64 else { throw error }
    }
  }

  /// A connection that was accepted, and the address of its client.
  struct Accepted: ~Copyable {
    let socket: Descriptor
    let peer: NetworkAddress
  }

  /// Whether only the connection has failed that would have been next, so that another may follow it
  /// (accept(2)).
  private static func concernsOneConnection(_ error: SystemError) -> Bool {
    switch error.code {
    case EINTR, ECONNABORTED, EPROTO, ENOPROTOOPT, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH,
      ENONET, EOPNOTSUPP, ETIMEDOUT:
      true
    default: false
    }
  }

  private static func bound(
    _ host: String, _ port: UInt16, sharing: Bool
  ) throws(SystemError) -> Descriptor {
    guard let address = SocketAddress(host: host, port: port) else {
      throw SystemError("getaddrinfo", code: EINVAL)
    }
    let socket = try address.makeSocket()
    try socket.setOption(SOL_SOCKET, SO_REUSEADDR)
    if sharing { try socket.setOption(SOL_SOCKET, SO_REUSEPORT) }
    if address.family == AF_INET6 { try socket.setOption(CInt(IPPROTO_IPV6), IPV6_V6ONLY, to: 0) }
    try socket.bind(to: address)
    return socket
  }

  private static func port(of socket: borrowing Descriptor) throws(SystemError) -> UInt16 {
    try UInt16(systemCall("getsockname") { clinux_local_port(socket.number) })
  }
}
