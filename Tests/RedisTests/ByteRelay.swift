import Foundation
import Synchronization

@testable import TestSupport

/// A relay between a connection and its server that carries so many bytes, or carries them one by one.
final class ByteRelay: Sendable {
  /// What the next connections are put through. The bytes are counted from the beginning of each.
  enum Trouble: Sendable {
    /// The connection ends behind so many bytes to the server.
    case cutToServer(Int)
    /// The connection ends behind so many bytes from the server.
    case cutFromServer(Int)
    /// Nothing comes behind so many bytes from the server, and the connection stays open.
    case stallFromServer(Int)
    /// Each byte is sent by itself.
    case trickle
  }

  /// How many bytes the last connection has carried each way, and how many connections have ended.
  struct Record: Sendable {
    var toServer = 0
    var fromServer = 0
    var ends = 0
  }

  let port: UInt16
  private let server: UInt16
  private let state = Mutex<(trouble: Trouble?, record: Record)>((nil, Record()))
  private let isEnded = Atomic(false)

  init(to server: UInt16) throws {
    self.server = server
    port = try FreePort.take()
    let listener = try Socket.listen(on: .ipv4(port))
    Thread { [self] in
      while !isEnded.load(ordering: .relaxed) {
        guard let client = try? listener.accept(within: .milliseconds(20)) else { continue }
        try? carry(client)
        state.withLock { $0.record.ends += 1 }
      }
    }.start()
  }

  func end() { isEnded.store(true, ordering: .relaxed) }

  var trouble: Trouble? {
    get { state.withLock(\.trouble) }
    set { state.withLock { $0.trouble = newValue } }
  }

  var record: Record { state.withLock(\.record) }

  private func carry(_ client: Socket) throws {
    let server = try Socket.connect(to: .ipv4(server))
    let trouble = trouble
    var (toServer, fromServer) = (Int.max, Int.max)
    switch trouble {
    case .cutToServer(let count): toServer = count
    case .cutFromServer(let count): fromServer = count
    case .stallFromServer, .trickle, nil: break
    }
    var record = Record()
    defer {
      state.withLock {
        ($0.record.toServer, $0.record.fromServer) = (record.toServer, record.fromServer)
      }
    }
    while !isEnded.load(ordering: .relaxed), record.toServer < toServer,
      record.fromServer < fromServer
    {
      for side in try Socket.readable(among: [client, server], within: .milliseconds(20)) {
        let bytes = try (side == 0 ? client : server).receive()
        guard !bytes.isEmpty else { return }
        var limit = side == 0 ? toServer - record.toServer : fromServer - record.fromServer
        if side == 1, case .stallFromServer(let count) = trouble {
          limit = max(count - record.fromServer, 0)
        }
        let target = side == 0 ? server : client
        let carried = Array(bytes.prefix(limit))
        if case .trickle = trouble {
          for byte in carried { try target.send([byte]) }
        } else {
          try target.send(carried)
        }
        if side == 0 {
          record.toServer += carried.count
        } else {
          record.fromServer += carried.count
        }
      }
    }
  }
}
