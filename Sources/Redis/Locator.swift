import CLinux
import System

/// Says where to connect next: to a fixed address, to the addresses of a name, or to the primary that
/// sentinels name.
///
/// It is a class to keep its addresses out of the connection's storage: the compiler copies all of that
/// where it reads a field, which cost 100 instructions a visit.
final class Locator {
  private enum Place {
    case socket(SocketAddress)
    case host(HostAddresses)
    case sentinels(Sentinels)
  }

  /// What an event, or the time that has passed, means for the connection.
  enum News {
    case none
    /// There is an address to connect to.
    case found
    /// Redis is elsewhere than where the connection leads. There is an address, or it is looked up.
    case moved(HostPort)
    /// Nobody knows an address.
    case failed(RedisError)
  }

  private let place: Place

  /// - Parameters:
  ///   - tls: encrypts the connections to sentinels; nil for plain ones.
  ///   - timeoutLimit: the longest wait for a sentinel.
  ///   - owner: the owner of the events.
  ///   - index: that of the connection among those of the owner.
  ///   - resolver: looks the host's name up; by default with the C library.
  /// - Throws: when there is no descriptor for a resolver, or a socket's path is too long.
  init(
    _ address: RedisAddress, tls: TLSClient?, timeoutLimit: Interval, _ poller: Poller,
    owner: UInt8, index: UInt32,
    resolver: Resolver?
  ) throws(SystemError) {
    switch address.endpoint {
    case .unix(let path):
      guard let address = SocketAddress(path: path) else {
        throw SystemError("connect", code: CInt(ENAMETOOLONG))
      }
      place = .socket(address)
    case .tcp(let host, let port):
      place = .host(
        try HostAddresses(
          HostPort(host: host, port: port), poller,
          ConnectionSource.resolver.token(owner: owner, index: index), resolver: resolver))
    case .sentinel(let sentinels, let name):
      place = .sentinels(
        try Sentinels(
          sentinels, name: name, address.sentinelCredentials, tls, timeoutLimit: timeoutLimit,
          poller, owner: owner))
    case .seeds:
      // Each node has a connection of its own.
      throw SystemError("connect", code: CInt(EPROTONOSUPPORT))
    }
  }

  /// The host that the next address is one of, by its name or its numeric address; nil for a socket on this
  /// machine.
  var host: String? {
    switch place {
    case .socket: nil
    case .host(let host): host.host.host
    case .sentinels(let sentinels): sentinels.primaryPlace?.host
    }
  }

  /// Where the primary is that sentinels have named; nil before, and without sentinels.
  var primary: HostPort? {
    if case .sentinels(let sentinels) = place { sentinels.primaryPlace } else { nil }
  }

  /// Whether the server has to be asked for its role: sentinels may be behind the times.
  var requiresPrimary: Bool { if case .sentinels = place { true } else { false } }

  /// When `tick` has to be called though no event comes.
  var deadline: Instant {
    if case .sentinels(let sentinels) = place { sentinels.deadline } else { .never }
  }

  /// Whether a name server is asked for the host.
  var isLookingUp: Bool { if case .host(let host) = place { host.isLookingUp } else { false } }

  /// The address that served last, to be used while a look-up of the host goes on.
  var servingAddress: SocketAddress? {
    if case .host(let host) = place { host.servingAddress } else { nil }
  }

  /// The next address to connect to; nil when it has to be asked for first, which has begun then.
  func nextAddress(_ now: Instant) throws(RedisError) -> SocketAddress? {
    switch place {
    case .socket(let address): return address
    case .sentinels(let sentinels): return try sentinels.nextAddress(now)
    case .host(let host):
      do throws(SystemError) {
        return try host.nextAddress()
      } catch {
        throw .system(error)
      }
    }
  }

  /// Makes the address that served last the next one.
  func retryServingAddress() {
    if case .host(let host) = place { host.retryServingAddress() }
  }

  /// Handles an event that is not about the connection's own socket.
  func handleEvent(_ event: Event, _ now: Instant) -> News {
    switch place {
    case .socket: return .none
    case .host(let host):
      do throws(RedisError) {
        return try host.finishLookUp() ? .found : .none
      } catch {
        return .failed(error)
      }
    case .sentinels(let sentinels): return sentinels.handleEvent(event, now)
    }
  }

  /// Does what is due.
  func tick(_ now: Instant) -> News {
    if case .sentinels(let sentinels) = place { sentinels.tick(now) } else { .none }
  }

  /// Has the next sentinel asked whether the primary is still where the connection leads.
  func doubt(_ now: Instant) {
    if case .sentinels(let sentinels) = place { sentinels.doubt(now) }
  }

  /// Notes that Redis serves at the address that was tried last, and ends the round of attempts.
  func confirmAddress() {
    switch place {
    case .socket: break
    case .host(let host): host.confirmAddress()
    case .sentinels(let sentinels): sentinels.confirmAddress()
    }
  }
}
