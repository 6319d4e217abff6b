import Foundation
import Synchronization

/// Hands out TCP ports that nobody listens on, each one only once.
///
/// They lie below the range from which the kernel takes ports for outgoing connections, so that
/// no connection of the suite itself can get in the way.
enum FreePort {
  private static let next = Mutex(UInt16.random(in: 20_000..<30_000))

  static func take() throws -> UInt16 {
    for _ in 0..<1000 {
      let port = next.withLock { port in
        port = port < 31_999 ? port + 1 : 20_000
        return port
      }
      if (try? Socket.listen(on: .ipv4(port))) != nil { return port }
    }
    throw NeverHappened(description: "no free port between 20000 and 32000")
  }
}
