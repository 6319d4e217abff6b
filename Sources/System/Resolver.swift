import Synchronization

/// Looks host names up on a thread of its own, because the C library's call blocks.
package final class Resolver: Sendable {
  /// The addresses of a host, in the order to try them.
  package typealias Found = Result<[SocketAddress], AddressError>

  private let lookUp: @Sendable (String, UInt16) -> Found
  private let wakeup: Wakeup
  private let found = Mutex<Found?>(nil)

  /// - Parameter lookUp: finds the addresses of a host and port, and may block.
  /// - Throws: when there is no descriptor for the wake-up.
  package init(
    _ lookUp: @escaping @Sendable (String, UInt16) -> Found = { SocketAddress.lookUp($0, port: $1) }
  ) throws(SystemError) {
    self.lookUp = lookUp
    wakeup = try Wakeup()
  }

  /// Becomes readable when a look-up has ended.
  package var descriptor: CInt { wakeup.descriptor }

  /// Starts to look up a host. The look-up before it must have ended.
  package func start(_ host: String, port: UInt16) throws(SystemError) {
    let thread = try Thread(name: "resolver") { [self] in
      let result = lookUp(host, port)
      found.withLock { $0 = result }
      wakeup.ring()
    }
    thread.detach()
  }

  /// The result of the look-up, handed out once; nil while it goes on.
  package func takeResult() -> Found? {
    wakeup.reset()
    return found.withLock { $0.take() }
  }
}
