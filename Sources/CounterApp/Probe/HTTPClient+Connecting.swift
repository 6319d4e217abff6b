import CLinux
import System
import Glibc

extension HTTPClient {
  /// Connects to the first of the host's addresses that accepts the connection.
  mutating func connect(to url: HTTPURL) throws(Failure) -> Descriptor {
    var failure = Failure.unknownHost("it has no address")
    for host in try lookUp(url.host) {
      do throws(Failure) {
        return try connect(to: host, url.port)
      } catch {
        failure = error
      }
    }
    throw failure
  }

  private mutating func lookUp(_ host: String) throws(Failure) -> [String] {
    guard !Resolver.isNumeric(host) else { return [host] }
    let resolver: Resolver
    do throws(SystemError) {
      resolver = try Resolver()
      try resolver.start(host)
    } catch {
      throw .system(error)
    }
    try wait(for: .read, on: resolver.descriptor)
    switch resolver.takeResult() {
    case .success(let addresses): return addresses
    case .failure(let unknown): throw .unknownHost(unknown.reason)
    case nil: throw .unknownHost("it has no address")
    }
  }

  /// - Parameter host: a numeric address.
  private mutating func connect(to host: String, _ port: UInt16) throws(Failure) -> Descriptor {
    var hints = unsafe addrinfo()
    unsafe hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
    unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    // Sound: the call reads the two texts and the hints, and makes a list only when it returns 0.
    guard unsafe getaddrinfo(host, String(port), &hints, &list) == 0, let list = unsafe list else {
      throw .unknownHost("it is no address")
    }
    // Sound: the list is only read before that.
    defer { unsafe freeaddrinfo(list) }
    return try unsafe connect(to: list.pointee)
  }

  @unsafe
  private mutating func connect(to address: addrinfo) throws(Failure) -> Descriptor {
    let type = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let number = unsafe socket(address.ai_family, type, 0)
    guard number >= 0 else { throw .unreachable(SystemError("socket")) }
    let socket = Descriptor(owning: number)
    // Called again once the socket is writable, connect(2) gives the result of the first call.
    while unsafe Glibc.connect(number, address.ai_addr, address.ai_addrlen) != 0 {
      let error = SystemError("connect")
      switch error.code {
      case EISCONN: return socket
      case EINPROGRESS, EALREADY, EINTR: try wait(for: .write, on: number)
      default: throw .unreachable(error)
      }
    }
    return socket
  }
}
