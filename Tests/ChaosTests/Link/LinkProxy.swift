import Foundation
import Synchronization

@testable import TestSupport

/// The link between counters and their Redis: a TCP proxy that can misbehave.
final class LinkProxy: Sendable {
  /// What it has done so far.
  struct Record {
    /// How often trouble has struck.
    var struck = 0

    /// The places at which it has cut messages.
    var places: Set<Place> = []

    /// How many old copies Redis recognized by a later batch of the same writer.
    var staleCopies = 0
  }

  /// Before which byte of a message.
  struct Place: Hashable {
    let direction: Direction
    let byte: Int
  }

  private struct State {
    var upstream: UInt16
    var trouble: Trouble?
    var record = Record()
  }

  let port: UInt16
  private let listener: Socket
  private let stopped = Atomic(false)
  private let threads = Atomic(0)
  private let state: Mutex<State>

  init(to upstream: UInt16) throws {
    port = try FreePort.take()
    listener = try Socket.listen(on: .ipv4(port))
    state = Mutex(State(upstream: upstream))
    start { $0.acceptConnections() }
  }

  /// The port that new connections are led to.
  var upstream: UInt16 {
    get { state.withLock(\.upstream) }
    set { state.withLock { $0.upstream = newValue } }
  }

  /// What it does at present; nil for carrying everything as it should.
  var trouble: Trouble? {
    get { state.withLock(\.trouble) }
    set { state.withLock { $0.trouble = newValue } }
  }

  var record: Record { state.withLock(\.record) }

  var isStopped: Bool { stopped.load(ordering: .relaxed) }

  func note(_ change: (inout Record) -> Void) {
    state.withLock { change(&$0.record) }
  }

  /// Delivers a copy of a command after a while, over a connection of its own.
  func deliverLater(_ command: [UInt8], after delay: Double) {
    guard threads.load(ordering: .relaxed) < 200 else { return }
    start { proxy in
      Thread.sleep(forTimeInterval: delay)
      guard let redis = try? Socket.connect(to: .ipv4(proxy.upstream), limit: .seconds(5)),
        (try? redis.send(command)) != nil, let reply = try? redis.receive()
      else { return }
      if reply.starts(with: "-STALE".utf8) { proxy.note { $0.staleCopies += 1 } }
    }
  }

  func end() {
    stopped.store(true, ordering: .relaxed)
    try? waitUntil("the proxy is done") { threads.load(ordering: .acquiring) == 0 }
  }

  private func start(_ body: @escaping @Sendable (LinkProxy) -> Void) {
    threads.add(1, ordering: .relaxed)
    Thread {
      body(self)
      self.threads.subtract(1, ordering: .releasing)
    }.start()
  }

  private func acceptConnections() {
    while !isStopped {
      guard threads.load(ordering: .relaxed) < 200,
        let counter = try? listener.accept(within: .milliseconds(20)),
        let redis = try? Socket.connect(to: .ipv4(upstream))
      else { continue }
      start { proxy in
        var link = Link(between: counter, and: redis, of: proxy)
        link.carry()
      }
    }
  }
}
