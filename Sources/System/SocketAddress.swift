import CLinux
import Glibc

/// Where a stream socket listens: a numeric IPv4 or IPv6 address with a port (ip(7), ipv6(7)), or the
/// path of a socket on this machine (unix(7)). It is kept in the kernel's form.
package struct SocketAddress: Sendable {
  private var storage = sockaddr_storage()
  private var size: socklen_t

  /// The longest path of a socket in bytes: `sun_path` has one more, for a zero at its end.
  package static var longestPath: Int { 107 }

  /// The addresses of a host, in the order to try them. The C library may wait for a name server for
  /// many seconds (getaddrinfo(3)).
  ///
  /// - Parameter flags: AI_NUMERICHOST to look nothing up, for one.
  package static func lookUp(
    _ host: String, port: UInt16, flags: CInt = 0
  ) -> Result<[SocketAddress], AddressError> {
    var hints = unsafe addrinfo()
    unsafe hints.ai_flags = flags | AI_NUMERICSERV
    unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    // Sound: the call reads the two texts and the hints, and makes a list only when it returns 0. The
    // list is freed once, after its last use.
    let error = unsafe getaddrinfo(host, String(port), &hints, &list)
    guard error == 0 else {
      let reason = unsafe String(cString: gai_strerror(error))
      return .failure(AddressError(reason, isTemporary: error == EAI_AGAIN))
    }
    defer { unsafe freeaddrinfo(list) }
    var addresses: [SocketAddress] = []
    var next = unsafe list
    while let entry = unsafe next {
      addresses.append(unsafe SocketAddress(entry.pointee))
      unsafe next = unsafe entry.pointee.ai_next
    }
    return .success(addresses)
  }

  /// Reads a numeric address; nil when the text is none, a host name for one.
  package init?(host: String, port: UInt16) {
    let found = Self.lookUp(host, port: port, flags: AI_NUMERICHOST)
    guard let address = try? found.get().first else { return nil }
    self = address
  }

  @unsafe
  private init(_ entry: addrinfo) {
    size = unsafe entry.ai_addrlen
    // Sound: the entry holds `ai_addrlen` bytes, and no address is larger than the storage.
    unsafe withUnsafeMutableBytes(of: &storage) { storage in
      unsafe storage.copyMemory(
        from: UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen)))
    }
  }

  /// The address of a socket on this machine; nil when the path is empty or too long.
  package init?(path: String) {
    guard !path.isEmpty, path.utf8.count <= Self.longestPath else { return nil }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // Sound: the path was just found to be shorter than `sun_path`, and the address is smaller than
    // the storage.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    size = socklen_t(MemoryLayout<sockaddr_un>.size)
    unsafe withUnsafeMutableBytes(of: &storage) { storage in
      unsafe withUnsafeBytes(of: address) { unsafe storage.copyMemory(from: $0) }
    }
  }

  /// The bytes of an IPv4 or IPv6 address, the most significant one first; none for another kind.
  package var addressBytes: [UInt8] {
    // Sound: the kernel's form of either kind has the address there.
    unsafe withUnsafeBytes(of: storage) { storage in
      switch family {
      case AF_INET:
        let start = MemoryLayout<sockaddr_in>.offset(of: \.sin_addr) ?? 0
        return unsafe Array(storage[start..<start + 4])
      case AF_INET6:
        let start = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) ?? 0
        return unsafe Array(storage[start..<start + 16])
      default: return []
      }
    }
  }

  /// The address family: `AF_INET`, `AF_INET6` or `AF_UNIX`.
  package var family: CInt { CInt(storage.ss_family) }

  /// Makes a non-blocking socket for the address, closed on exec.
  package func makeSocket() throws(SystemError) -> Descriptor {
    let type = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    return Descriptor(owning: try systemCall("socket") { Glibc.socket(family, type, 0) })
  }

  /// Lends the address to a system call, for as long as that takes.
  @unsafe
  fileprivate func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
    unsafe withUnsafePointer(to: storage) { storage in
      // Sound: every kind of address begins with what `sockaddr` declares.
      unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, size) }
    }
  }
}

extension Descriptor {
  /// Starts to connect a new socket, which does not delay small segments (TCP_NODELAY). It becomes
  /// writable when the attempt has ended; `connectionError` tells how.
  ///
  /// - Throws: when the kernel refuses at once, as it does for a path that does not exist.
  package static func connecting(to address: SocketAddress) throws(SystemError) -> Descriptor {
    let socket = try address.makeSocket()
    if address.family != AF_UNIX { try socket.setOption(CInt(IPPROTO_TCP), TCP_NODELAY) }
    // Sound: the address is valid during the call.
    let result = unsafe address.withPointer { unsafe Glibc.connect(socket.number, $0, $1) }
    guard result != 0 else { return socket }
    let error = SystemError("connect")
    // An interrupted attempt goes on, as one that takes its time does (connect(2)).
    guard error.code == EINPROGRESS || error.code == EINTR else { throw error }
    return socket
  }

  /// Gives this socket an address to listen on (bind(2)).
  package func bind(to address: SocketAddress) throws(SystemError) {
    // Sound: the address is valid during the call.
    _ = try systemCall("bind") { unsafe address.withPointer { unsafe Glibc.bind(number, $0, $1) } }
  }

  /// Sets an option of this socket (setsockopt(2)).
  package func setOption(
    _ level: CInt, _ option: CInt, to value: CInt = 1
  ) throws(SystemError) {
    var value = value
    // Sound: the kernel reads the one value during the call.
    _ = try systemCall("setsockopt") {
      unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }
  }

  /// The reason why the attempt to connect failed; nil when it succeeded (SO_ERROR, socket(7)).
  package var connectionError: SystemError? {
    var code: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    // Sound: the kernel fills in the one value.
    guard unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else {
      return SystemError("getsockopt")
    }
    return code == 0 ? nil : SystemError("connect", code: code)
  }
}
