import CLinux
import Synchronization

/// Looks host names up on a thread of its own, because the C library's call blocks (getaddrinfo(3)).
public final class Resolver: Sendable {
  /// The result of a look-up: numeric addresses, in the order to try them.
  public typealias Found = Result<[String], UnknownHost>

  /// The name has no address.
  public struct UnknownHost: Error {
    /// The reason, for people.
    public let reason: String
  }

  private let lookUp: @Sendable (String) -> Found
  private let wakeup: Wakeup
  private let found = Mutex<Found?>(nil)

  /// - Parameter lookUp: finds the addresses of a name, and may block.
  /// - Throws: when there is no descriptor for the wake-up.
  public init(
    _ lookUp: @escaping @Sendable (String) -> Found = { Resolver.lookUp($0) }
  ) throws(SystemError) {
    self.lookUp = lookUp
    wakeup = try Wakeup()
  }

  /// Becomes readable when a look-up has ended.
  public var descriptor: CInt { wakeup.descriptor }

  /// Starts to look up a name. The look-up before it must have ended.
  public func start(_ host: String) throws(SystemError) {
    let thread = try Thread(name: "resolver") { [self] in
      let result = lookUp(host)
      found.withLock { $0 = result }
      wakeup.ring()
    }
    thread.detach()
  }

  /// The result of the look-up, handed out once; nil while it goes on.
  public func takeResult() -> Found? {
    wakeup.reset()
    return found.withLock { found in
      defer { found = nil }
      return found
    }
  }

  /// Whether a host is an address already, which needs no look-up.
  public static func isNumeric(_ host: String) -> Bool { SocketAddress(host: host, port: 0) != nil }

  /// Asks the C library, which may wait for a name server for many seconds.
  public static func lookUp(_ host: String) -> Found {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    // Sound: the call makes a list only when it returns 0. It is freed once, after its last use.
    let error = unsafe getaddrinfo(host, nil, &hints, &list)
    guard error == 0 else {
      return .failure(UnknownHost(reason: unsafe String(cString: gai_strerror(error))))
    }
    defer { unsafe freeaddrinfo(list) }
    var addresses: [String] = []
    var next = unsafe list
    while let entry = unsafe next {
      if let address = unsafe numeric(entry.pointee) { addresses.append(address) }
      unsafe next = unsafe entry.pointee.ai_next
    }
    return .success(addresses)
  }

  @unsafe
  private static func numeric(_ entry: addrinfo) -> String? {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { text in
      // Sound: the call writes at most `count` bytes, the last of them a zero.
      let error = unsafe getnameinfo(
        entry.ai_addr, entry.ai_addrlen, text.baseAddress, socklen_t(text.count), nil, 0,
        NI_NUMERICHOST)
      return error == 0 ? unsafe text.baseAddress.map { unsafe String(cString: $0) } : nil
    }
  }
}
