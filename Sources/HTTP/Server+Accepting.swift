import BasicContainers
import CLinux
import System
import Telemetry

/// From the backlog to open connections.
extension Server {
  private static var acceptPause: Interval { .milliseconds(100) }

  private var hasRoom: Bool { openConnections < limits.connections }

  /// Accepts the connections that wait, up to a number, so that those that are open get their turn.
  mutating func acceptConnections() {
    guard hasRoom else {
      // A connection may be idle: this round looks for it.
      nextSweep = now
      return stopAccepting(.full)
    }
    for _ in 0..<64 where !acceptConnection() { return }
  }

  /// - Returns: whether there may be more of them, and room for them.
  mutating func acceptConnection() -> Bool {
    guard hasRoom else { return false }
    do throws(SystemError) {
      guard let accepted = try listener?.accept() else { return false }
      try open(accepted)
      return true
    } catch {
      stopAccepting(.paused(until: now + Self.acceptPause, error))
      return false
    }
  }

  private mutating func open(_ accepted: consuming Listener.Accepted) throws(SystemError) {
    let slot = connections.reserveSlot()
    try poller.add(
      accepted.socket.number, ClientConnection.openInterest,
      connections.token(of: slot, owner: owner.connections))
    connections.open(accepted, until: now + limits.headerTime)
    figures.accepted.add(1)
    figures.open.add(1)
    if nextSweep == .never { nextSweep = now + Self.sweepInterval }
  }

  /// Closes the connection of a full server that has waited longest for a request, to make room for a
  /// client in the backlog. It follows at the end of a round, when all requests that have arrived were
  /// taken. A client that has just got a response may be sending the next request.
  mutating func makeRoom() {
    guard case .full = acceptance, let slot = connections.longestIdle(limits, now) else { return }
    figures.evicted.add(1)
    close(slot)
  }

  /// Leaves new connections in the backlog. The listener is not watched meanwhile; it would be
  /// reported as ready over and over.
  private mutating func stopAccepting(_ acceptance: Acceptance) {
    guard case .open = self.acceptance, let number = listener?.socket.number else { return }
    poller.remove(number)
    self.acceptance = acceptance
  }

  /// Accepts again when a pause is over.
  mutating func resumeAccepting() {
    guard case .paused(let until, _) = acceptance, until <= now else { return }
    watchListener()
  }

  /// Accepts again when a client has left a server that was full.
  mutating func refillConnections() {
    if case .full = acceptance { watchListener() }
  }

  private mutating func watchListener() {
    guard let number = listener?.socket.number else { return }
    do {
      try poller.add(number, .read, Token(owner: owner.listener))
      acceptance = .open
    } catch {
      acceptance = .paused(until: now + Self.acceptPause, error)
    }
  }
}
