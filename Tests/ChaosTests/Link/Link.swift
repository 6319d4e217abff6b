import Foundation

@testable import TestSupport

/// One connection through the proxy. A counter and its Redis speak in turns, so what comes at once is
/// one message.
struct Link {
  private let proxy: LinkProxy
  private let counter: Socket
  private let redis: Socket

  /// How many messages are still carried well.
  private var pause: Int

  init(between counter: Socket, and redis: Socket, of proxy: LinkProxy) {
    self.proxy = proxy
    self.counter = counter
    self.redis = redis
    pause = proxy.trouble?.pause.randomElement() ?? 0
  }

  /// Carries messages until either side ends, or trouble ends it.
  mutating func carry() {
    do {
      while !proxy.isStopped {
        for side in try Socket.readable(among: [counter, redis], within: .milliseconds(20)) {
          guard try pass(side == 0 ? .command : .reply) else { return }
        }
      }
    } catch {
      // Either side is gone, and so is the connection to the other when the sockets are let go.
    }
  }

  /// Passes a message on, as well as the trouble lets it.
  ///
  /// - Returns: whether the connection goes on.
  private mutating func pass(_ direction: Direction) throws -> Bool {
    let message = try (direction == .command ? counter : redis).receive()
    guard !message.isEmpty else { return false }
    let target = direction == .command ? redis : counter
    guard let trouble = trouble(for: message, direction) else {
      try target.send(message)
      return true
    }
    switch trouble {
    case .cut:
      let byte = Int.random(in: message.indices)
      proxy.note { $0.places.insert(.init(direction: direction, byte: byte)) }
      if byte > 0 { try target.send(Array(message[..<byte])) }
      return try reset()
    case .loseReply:
      return try reset()
    case .swallowReply:
      return true
    case .trickle:
      for byte in message { try trickle(byte, of: message.count, to: target) }
      return true
    case .stall(let seconds):
      Thread.sleep(forTimeInterval: .random(in: seconds))
      try target.send(message)
      return true
    case .deliverOldCopy:
      proxy.deliverLater(message, after: .random(in: 0.001...0.3))
      if Bool.random() { return try reset() }
      try target.send(message)
      return true
    }
  }

  /// The trouble that strikes a message, noted; nil when none does.
  private mutating func trouble(for message: [UInt8], _ direction: Direction) -> Trouble? {
    guard let trouble = proxy.trouble else { return nil }
    pause -= 1
    guard pause < 0, trouble.canStrike(message, direction) else { return nil }
    pause = trouble.pause.randomElement() ?? 0
    proxy.note { $0.struck += 1 }
    return trouble
  }

  /// A long message takes some 50 ms.
  private func trickle(_ byte: UInt8, of count: Int, to target: Socket) throws {
    if Int.random(in: 0..<max(count, 500)) < 500 {
      Thread.sleep(forTimeInterval: .random(in: 0..<0.0001))
    }
    try target.send([byte])
  }

  /// Breaks the connection off on both sides.
  private func reset() throws -> Bool {
    try counter.resetOnClose()
    try redis.resetOnClose()
    return false
  }
}
