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

  /// Why there is no listener.
  package enum Failure: Error, Equatable {
    /// Another socket listens there already.
    case inUse
    /// Something else, `EACCES` for a port below 1024 for one.
    case system(SystemError)
  }

  /// Listens on a numeric address.
  ///
  /// Several listeners of one user may share an address, and the kernel deals connections out
  /// among them (SO_REUSEPORT, socket(7)). An IPv6 wildcard takes IPv4 as well.
  package init(host: String, port: UInt16) throws(Failure) {
    do throws(SystemError) {
      let socket = try Self.bound(host, port, sharing: true)
      try Self.setOption(CInt(IPPROTO_TCP), TCP_NODELAY, on: socket)
      // Accepted sockets inherit the sizes. By itself the kernel would keep megabytes for a client
      // that sends without reading.
      for buffer in [SO_RCVBUF, SO_SNDBUF] {
        try Self.setOption(SOL_SOCKET, buffer, on: socket, to: Self.kernelBuffer)
      }
      _ = try systemCall("listen") { listen(socket.number, CInt(SOMAXCONN)) }
      self.port = try Self.port(of: socket)
      self.socket = socket
    } catch {
      throw Self.failure(error)
    }
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

  /// Makes sure that nobody listens on an address yet, which sharing it would not notice.
  package static func check(host: String, port: UInt16) throws(Failure) {
    do throws(SystemError) {
      _ = try bound(host, port, sharing: false)
    } catch {
      throw failure(error)
    }
  }

  /// Whether a text is a numeric address that could be listened on.
  package static func isAddress(_ host: String) -> Bool {
    guard let list = try? unsafe numericAddress(host, 0) else { return false }
    // Sound: the list was made for this call.
    unsafe freeaddrinfo(list)
    return true
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

  private static func failure(_ error: SystemError) -> Failure {
    switch error.code {
    case EADDRINUSE: .inUse
    default: .system(error)
    }
  }

  private static func bound(
    _ host: String, _ port: UInt16, sharing: Bool
  ) throws(SystemError) -> Descriptor {
    let list = try unsafe numericAddress(host, port)
    // Sound: the list is not used after this function, and by nobody else.
    defer { unsafe freeaddrinfo(list) }
    let family = unsafe list.pointee.ai_family
    let type = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let number = try systemCall("socket") { CLinux.socket(family, type, 0) }
    let socket = Descriptor(owning: number)
    try setOption(SOL_SOCKET, SO_REUSEADDR, on: socket)
    if sharing { try setOption(SOL_SOCKET, SO_REUSEPORT, on: socket) }
    if family == AF_INET6 { try setOption(CInt(IPPROTO_IPV6), IPV6_V6ONLY, on: socket, to: 0) }
    _ = try systemCall("bind") { unsafe clinux_bind(socket.number, list) }
    return socket
  }

  /// - Returns: a list of one address, for the caller to free.
  @unsafe
  private static func numericAddress(
    _ host: String, _ port: UInt16
  ) throws(SystemError) -> UnsafeMutablePointer<addrinfo> {
    var hints = unsafe addrinfo()
    unsafe hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
    unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    // Sound: the call reads the two texts and the hints, and makes a list only when it returns 0.
    guard unsafe getaddrinfo(host, String(port), &hints, &list) == 0, let list = unsafe list else {
      throw SystemError("getaddrinfo", code: EINVAL)
    }
    return unsafe list
  }

  private static func setOption(
    _ level: CInt, _ option: CInt, on socket: borrowing Descriptor, to value: CInt = 1
  ) throws(SystemError) {
    var value = value
    // Sound: the kernel reads the one value during the call.
    _ = try systemCall("setsockopt") {
      unsafe setsockopt(
        socket.number, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }
  }

  private static func port(of socket: borrowing Descriptor) throws(SystemError) -> UInt16 {
    try UInt16(systemCall("getsockname") { clinux_local_port(socket.number) })
  }
}
