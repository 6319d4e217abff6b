import Foundation
import Synchronization

@testable import TestSupport

/// A bad link between a counter and its Redis: a TCP proxy that can lose what it carries.
///
/// While `misbehaving`, every connection gets a mishap of its own at a random byte, after which
/// it is cut.
final class LinkProxy: Sendable {
  private enum Mishap: CaseIterable {
    /// The request stops in the middle.
    case cutRequest
    /// The reply stops in the middle, or before its first byte.
    case cutReply
    /// The reply vanishes, and the end of the connection is a while in coming.
    case swallowReply
    /// The connection ends for the counter, and what it sent last reaches Redis later.
    case deliverLate
  }

  let port: UInt16
  private let upstream: UInt16
  private let listener: Socket
  private let stopped = Atomic(false)
  private let bad = Atomic(false)
  private let mishaps = Atomic(0)
  private let threads = Atomic(0)

  init(to upstream: UInt16) throws {
    self.upstream = upstream
    port = try FreePort.take()
    listener = try Socket.listen(on: .ipv4(port))
    start { $0.acceptConnections() }
  }

  var misbehaving: Bool {
    get { bad.load(ordering: .relaxed) }
    set { bad.store(newValue, ordering: .relaxed) }
  }

  /// How many connections it has broken so far.
  var broken: Int { mishaps.load(ordering: .relaxed) }

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
    while !stopped.load(ordering: .relaxed) {
      guard threads.load(ordering: .relaxed) < 100,
        let counter = try? listener.accept(within: .milliseconds(20))
      else { continue }
      guard let redis = try? Socket.connect(to: .ipv4(upstream)) else { continue }
      let mishap = misbehaving ? Mishap.allCases.randomElement() : nil
      start { $0.carryRequests(from: counter, to: redis, mishap) }
      start { $0.carryReplies(from: redis, to: counter, mishap) }
    }
  }

  private func carryRequests(from counter: Socket, to redis: Socket, _ mishap: Mishap?) {
    let isHit = mishap == .cutRequest || mishap == .deliverLate
    let rest = carry(from: counter, to: redis, cutAfter: isHit ? .random(in: 0..<4000) : nil)
    counter.end()
    if mishap == .deliverLate, !rest.isEmpty {
      Thread.sleep(forTimeInterval: .random(in: 0..<0.15))
      try? redis.send(rest)
      redis.finishSending()
    } else {
      redis.end()
    }
  }

  private func carryReplies(from redis: Socket, to counter: Socket, _ mishap: Mishap?) {
    let isHit = mishap == .cutReply || mishap == .swallowReply
    let rest = carry(from: redis, to: counter, cutAfter: isHit ? .random(in: 0..<300) : nil)
    if mishap == .swallowReply, !rest.isEmpty {
      Thread.sleep(forTimeInterval: .random(in: 0..<0.1))
    }
    counter.end()
    redis.end()
  }

  /// Carries bytes until either side ends, or up to a byte in the middle of them.
  ///
  /// - Returns: what it has received and not passed on.
  private func carry(from source: Socket, to target: Socket, cutAfter limit: Int?) -> [UInt8] {
    var passed = 0
    while !stopped.load(ordering: .relaxed) {
      guard let isReadable = try? source.isReadable(within: .milliseconds(20)) else { return [] }
      guard isReadable else { continue }
      guard let bytes = try? source.receive(), !bytes.isEmpty else { return [] }
      var kept = bytes.count
      if misbehaving, let limit { kept = min(kept, max(0, limit - passed)) }
      guard (try? target.send(Array(bytes[..<kept]))) != nil else { return [] }
      passed += kept
      if kept < bytes.count {
        mishaps.add(1, ordering: .relaxed)
        return Array(bytes[kept...])
      }
    }
    return []
  }
}

/// Lends a bad link to a Redis that is ended whatever happens.
func withLinkProxy<Result>(
  to redis: RedisProcess, _ body: (LinkProxy) throws -> Result
) throws -> Result {
  let proxy = try LinkProxy(to: redis.port)
  defer { proxy.end() }
  return try body(proxy)
}
