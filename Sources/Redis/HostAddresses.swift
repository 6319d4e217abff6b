import System

/// The addresses of a host, one after the other.
///
/// A name is looked up anew for each round of attempts, because after a failover it means another
/// host. While a name server does not answer, the address that served last can be used.
final class HostAddresses {
  private enum Kind {
    case numeric(SocketAddress)
    case named(Resolver)
  }

  let host: HostPort
  private let kind: Kind
  private let poller: Poller

  /// Addresses of the name that were not tried yet.
  private var candidates: ArraySlice<SocketAddress> = []

  private var triedAddress: SocketAddress?

  /// The address of the name that served last, to be used while a look-up goes on.
  private(set) var servingAddress: SocketAddress?

  private(set) var isLookingUp = false

  /// - Parameters:
  ///   - token: that of the event that a look-up has ended.
  ///   - resolver: looks a name up; by default with the C library.
  /// - Throws: when there is no descriptor for the resolver.
  init(
    _ host: HostPort, _ poller: Poller, _ token: Token, resolver: Resolver? = nil
  ) throws(SystemError) {
    self.host = host
    self.poller = poller
    if let address = SocketAddress(host: host.host, port: host.port) {
      kind = .numeric(address)
    } else {
      let resolver = if let resolver { resolver } else { try Resolver() }
      try poller.add(resolver.descriptor, .read, token)
      kind = .named(resolver)
    }
  }

  deinit {
    // A look-up that goes on keeps the descriptor open.
    if case .named(let resolver) = kind { poller.remove(resolver.descriptor) }
  }

  /// Whether a look-up has found addresses that were not tried yet.
  var hasCandidates: Bool { !candidates.isEmpty }

  /// The next address to connect to; nil when it has to be looked up first, which has begun then.
  func nextAddress() throws(SystemError) -> SocketAddress? {
    switch kind {
    case .numeric(let address):
      return address
    case .named(let resolver):
      triedAddress = candidates.popFirst()
      if triedAddress == nil, !isLookingUp {
        try resolver.start(host.host, port: host.port)
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
    guard case .named(let resolver) = kind, let found = resolver.takeResult() else { return false }
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

  /// Notes that the address that was tried last serves.
  func noteServing() {
    servingAddress = triedAddress
  }

  /// Notes that the address that was tried last serves, and ends the round of attempts.
  func confirmAddress() {
    noteServing()
    candidates = []
  }
}
