import CLinux
import System

/// Says where to connect next: to a fixed address, or to the addresses of a name, one after the other.
///
/// The name is looked up anew for each round of attempts, because after a failover it means another
/// host. While a name server does not answer, the address that served last can be used.
///
/// It is a class to keep its addresses out of the connection's storage: the compiler copies all of that
/// where it reads a field, which cost 100 instructions a visit.
final class Locator {
  private enum Place {
    case fixed(SocketAddress)
    case named(host: String, port: UInt16, Resolver)
  }

  private let place: Place

  /// Addresses of the name that were not tried yet.
  private var candidates: ArraySlice<SocketAddress> = []

  private var triedAddress: SocketAddress?

  /// The address that served last, to be used while a look-up goes on.
  private(set) var servingAddress: SocketAddress?

  private(set) var isLookingUp = false

  /// - Parameter resolver: looks a name up; by default with the C library.
  /// - Throws: when there is no descriptor for the resolver, or a socket's path is too long.
  init(_ address: RedisAddress, resolver: Resolver?) throws(SystemError) {
    switch address.endpoint {
    case .unix(let path):
      guard let address = SocketAddress(path: path) else {
        throw SystemError("connect", code: CInt(ENAMETOOLONG))
      }
      place = .fixed(address)
    case .tcp(let host, let port):
      if let address = SocketAddress(host: host, port: port) {
        place = .fixed(address)
      } else {
        let resolver = if let resolver { resolver } else { try Resolver() }
        place = .named(host: host, port: port, resolver)
      }
    case .sentinel, .seeds:
      // `RedisAddress.checkSupport` refuses them before.
      throw SystemError("connect", code: CInt(EPROTONOSUPPORT))
    }
  }

  /// Becomes readable when a look-up has ended; nil when there is nothing to look up.
  var descriptor: CInt? {
    if case .named(_, _, let resolver) = place { resolver.descriptor } else { nil }
  }

  /// The next address to connect to; nil when it has to be looked up first, which has begun then.
  func nextAddress() throws(SystemError) -> SocketAddress? {
    switch place {
    case .fixed(let address):
      return address
    case .named(let host, let port, let resolver):
      triedAddress = candidates.popFirst()
      if triedAddress == nil, !isLookingUp {
        try resolver.start(host, port: port)
        isLookingUp = true
      }
      return triedAddress
    }
  }

  /// Makes the address that served last the next one.
  func retryServingAddress() {
    candidates = servingAddress.map { [$0] } ?? []
  }

  /// Ends a look-up: its addresses are the next to be tried, or the one that served last when no name
  /// server has answered.
  ///
  /// - Returns: whether it had ended.
  func finishLookUp() throws(RedisError) -> Bool {
    guard case .named(_, _, let resolver) = place, let found = resolver.takeResult() else {
      return false
    }
    isLookingUp = false
    switch found {
    case .failure(let unknown):
      guard unknown.isTemporary, servingAddress != nil, candidates.isEmpty else {
        throw .unknownHost(unknown.reason)
      }
      retryServingAddress()
      return true
    case .success(let addresses):
      candidates = addresses[...]
      guard !candidates.isEmpty else { throw .unknownHost("it has no address") }
      return true
    }
  }

  /// Notes that Redis serves at the address that was tried last, and ends the round of attempts.
  func confirmAddress() {
    servingAddress = triedAddress
    candidates = []
  }
}
