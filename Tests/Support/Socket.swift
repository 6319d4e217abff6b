import Foundation
import Glibc

/// A stream socket on this machine's loopback. It blocks, and every wait has a limit.
///
/// All socket calls of the suite stand here. Descriptors are closed on exec, so that no program
/// the suite starts holds a connection open.
final class Socket: Sendable {
  enum Address {
    case ipv4(UInt16)
    case ipv6(UInt16)
    case unix(String)
  }

  private let descriptor: Int32

  private init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  deinit {
    _ = close(descriptor)
  }

  /// Connects, with `limit` as the longest wait of every later send and receive.
  ///
  /// - Parameter receiveBuffer: bytes the kernel may hold for a slow reader, nil for its default.
  static func connect(
    to address: Address, receiveBuffer: Int32? = nil, limit: Duration = .seconds(10)
  ) throws -> Socket {
    let new = try Socket(family: address.family)
    if let receiveBuffer { try new.set(SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
    if address.isTCP { try new.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1) }
    try new.limitWaits(to: limit)
    try unsafe address.withPointer { address, length in
      guard unsafe Glibc.connect(new.descriptor, address, length) == 0 else {
        throw SocketError(call: "connect", code: errno)
      }
    }
    return new
  }

  /// Listens; fails when the address is taken.
  static func listen(on address: Address) throws -> Socket {
    let new = try Socket(family: address.family)
    try new.set(SOL_SOCKET, SO_REUSEADDR, 1)
    try unsafe address.withPointer { address, length in
      guard unsafe bind(new.descriptor, address, length) == 0 else {
        throw SocketError(call: "bind", code: errno)
      }
    }
    guard Glibc.listen(new.descriptor, 128) == 0 else {
      throw SocketError(call: "listen", code: errno)
    }
    return new
  }

  private convenience init(family: Int32) throws {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(family, type, 0)
    guard descriptor >= 0 else { throw SocketError(call: "socket", code: errno) }
    self.init(descriptor: descriptor)
  }

  /// The next connection, or nil when none came within the limit.
  func accept(within limit: Duration) throws -> Socket? {
    guard try isReadable(within: limit) else { return nil }
    let accepted = Glibc.accept(descriptor, nil, nil)
    guard accepted >= 0 else { throw SocketError(call: "accept", code: errno) }
    let connection = Socket(descriptor: accepted)
    _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
    try? connection.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    try connection.limitWaits(to: .seconds(10))
    return connection
  }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      sent += try sendSome(bytes[sent...])
    }
  }

  /// Sends what the kernel takes at once and returns how many bytes that was, perhaps none.
  func sendAtOnce(_ bytes: [UInt8]) throws -> Int {
    let count = unsafe bytes.withUnsafeBytes {
      unsafe Glibc.send(
        descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }
    if count < 0, errno == EAGAIN || errno == EINTR { return 0 }
    guard count >= 0 else { throw SocketError(call: "send", code: errno) }
    return count
  }

  /// Sends what fits and returns how many bytes that was.
  private func sendSome(_ bytes: ArraySlice<UInt8>) throws -> Int {
    let count = unsafe bytes.withUnsafeBytes {
      unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    if count < 0, errno == EINTR { return 0 }
    guard count >= 0 else { throw SocketError(call: "send", code: errno) }
    return count
  }

  /// The bytes that came next, at least one; empty at the end of the stream.
  func receive(atMost limit: Int = 65_536) throws -> [UInt8] {
    for _ in 0..<100 {
      var bytes = [UInt8](repeating: 0, count: limit)
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw SocketError(call: "receive", code: errno) }
      return Array(bytes[..<count])
    }
    throw SocketError(call: "receive", code: EINTR)
  }

  /// Whether something can be received, the end of the stream included.
  func isReadable(within limit: Duration) throws -> Bool {
    try isReady(for: Int16(POLLIN), within: limit)
  }

  /// Whether the kernel would take more to send.
  func isWritable(within limit: Duration) throws -> Bool {
    try isReady(for: Int16(POLLOUT), within: limit)
  }

  private func isReady(for events: Int16, within limit: Duration) throws -> Bool {
    var wanted = pollfd(fd: descriptor, events: events, revents: 0)
    let milliseconds = Int32(limit / .milliseconds(1))
    let ready = unsafe poll(&wanted, 1, milliseconds)
    guard ready >= 0 || errno == EINTR else { throw SocketError(call: "poll", code: errno) }
    return ready > 0
  }

  /// Which of the sockets have something to receive, the end of the stream included; none of them
  /// when the limit passed first.
  static func readable(among sockets: [Socket], within limit: Duration) throws -> [Int] {
    var wanted = sockets.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    let count = unsafe poll(&wanted, nfds_t(wanted.count), Int32(limit / .milliseconds(1)))
    guard count >= 0 || errno == EINTR else { throw SocketError(call: "poll", code: errno) }
    return count > 0 ? wanted.indices.filter { wanted[$0].revents != 0 } : []
  }

  /// Says to the other side that nothing more is sent; answers can still be received.
  func finishSending() {
    _ = shutdown(descriptor, Int32(SHUT_WR))
  }

  /// Ends both directions; whoever waits on this socket in another thread is woken.
  func end() {
    _ = shutdown(descriptor, Int32(SHUT_RDWR))
  }

  /// Makes the close that follows a reset instead of an orderly end.
  func resetOnClose() throws {
    var now = linger(l_onoff: 1, l_linger: 0)
    let size = socklen_t(MemoryLayout<linger>.size)
    guard unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, size) == 0 else {
      throw SocketError(call: "setsockopt", code: errno)
    }
  }

  /// Goes away without a word, as a machine does that loses its power: nothing is said to the other
  /// side when this socket is closed (tcp(7), TCP_REPAIR).
  ///
  /// - Returns: whether the suite may do so; it takes CAP_NET_ADMIN.
  func vanishOnClose() -> Bool {
    (try? set(Int32(IPPROTO_TCP), 19, 1)) != nil
  }

  private func limitWaits(to limit: Duration) throws {
    let parts = limit.components
    var time = timeval(
      tv_sec: Int(parts.seconds), tv_usec: Int(parts.attoseconds / 1_000_000_000_000))
    let size = socklen_t(MemoryLayout<timeval>.size)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      guard unsafe setsockopt(descriptor, SOL_SOCKET, option, &time, size) == 0 else {
        throw SocketError(call: "setsockopt", code: errno)
      }
    }
  }

  private func set(_ level: Int32, _ option: Int32, _ value: Int32) throws {
    var value = value
    let size = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe setsockopt(descriptor, level, option, &value, size) == 0 else {
      throw SocketError(call: "setsockopt", code: errno)
    }
  }
}

extension Socket.Address {
  fileprivate var family: Int32 {
    switch self {
    case .ipv4: AF_INET
    case .ipv6: AF_INET6
    case .unix: AF_UNIX
    }
  }

  fileprivate var isTCP: Bool {
    if case .unix = self { return false }
    return true
  }

  /// Lends the address in the form the kernel reads; the pointer is valid during `body` only.
  fileprivate func withPointer(
    _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void
  ) throws {
    switch self {
    case .ipv4(let port):
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
      try unsafe lend(address, to: body)
    case .ipv6(let port):
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      address.sin6_addr = in6addr_loopback
      try unsafe lend(address, to: body)
    case .unix(let path):
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      let room = MemoryLayout.size(ofValue: address.sun_path)
      guard path.utf8.count < room else { throw SocketError(call: "bind", code: ENAMETOOLONG) }
      unsafe withUnsafeMutableBytes(of: &address.sun_path) {
        unsafe $0.copyBytes(from: path.utf8)
      }
      try unsafe lend(address, to: body)
    }
  }

  private func lend<Form>(
    _ address: Form, to body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void
  ) throws {
    try unsafe withUnsafeBytes(of: address) { bytes in
      guard let start = bytes.baseAddress else { return }
      try unsafe body(
        start.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
  }
}
