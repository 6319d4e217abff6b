@testable import TestSupport

/// A relay between a group commit and its Redis that loses what it is told to lose. The test's own
/// thread moves the bytes, so the same ones are lost each time.
final class Relay {
  /// What the relay does to the next batch.
  enum Loss: Equatable {
    /// Passes on so many bytes of the command, then resets both connections.
    case commandAfter(Int)
    /// Passes the command on, and so many bytes of the reply; then resets both connections.
    case replyAfter(Int)
  }

  let port: UInt16
  private let listener: Socket
  private let redisPort: UInt16
  private var client: Socket?
  private var redis: Socket?

  /// The loss that is still to come; nil after it has come.
  private(set) var loss: Loss?

  /// The bytes of the last batch, and how many bytes of its reply are still passed on.
  private(set) var lastBatch: [UInt8] = []
  private var remainingReply: Int?

  init(to redis: RedisProcess) throws {
    port = try FreePort.take()
    listener = try Socket.listen(on: .ipv4(port))
    redisPort = redis.port
  }

  var url: String { "redis://127.0.0.1:\(port)" }

  /// Has the next batch, or its reply, get lost.
  func lose(_ loss: Loss) { self.loss = loss }

  /// Moves what has arrived on either side.
  func pass() throws {
    if let arrived = try listener.accept(within: .zero) {
      client = arrived
      redis = try? Socket.connect(to: .ipv4(redisPort))
      remainingReply = nil
    }
    guard let client, let redis else { return }
    for side in try Socket.readable(among: [client, redis], within: .zero) {
      guard self.client != nil else { return }
      let bytes = (try? (side == 0 ? client : redis).receive()) ?? []
      guard !bytes.isEmpty else { return close() }
      if side == 0 { passCommand(bytes) } else { passReply(bytes) }
    }
  }

  private func passCommand(_ bytes: [UInt8]) {
    let isBatch = bytes.firstRange(of: Array("EVALSHA".utf8)) != nil
    if isBatch { lastBatch = bytes }
    switch loss {
    case .commandAfter(let count) where isBatch:
      loss = nil
      try? redis?.send(Array(bytes.prefix(count)))
      reset()
    case .replyAfter(let count) where isBatch:
      loss = nil
      remainingReply = count
      try? redis?.send(bytes)
    default:
      try? redis?.send(bytes)
    }
  }

  private func passReply(_ bytes: [UInt8]) {
    guard let remaining = remainingReply else {
      try? client?.send(bytes)
      return
    }
    try? client?.send(Array(bytes.prefix(remaining)))
    remainingReply = remaining - bytes.count
    if bytes.count >= remaining { reset() }
  }

  private func reset() {
    try? client?.resetOnClose()
    try? redis?.resetOnClose()
    close()
  }

  private func close() {
    client = nil
    redis = nil
    remainingReply = nil
  }
}
