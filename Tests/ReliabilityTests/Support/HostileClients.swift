import Foundation
import Synchronization

@testable import TestSupport

/// Clients that make a server buffer as much as it will, in processes of their own, so that each has
/// enough descriptors: Tests/Tools/hostile-clients.py.
struct HostileClients {
  enum Kind: String, CaseIterable, Sendable, CustomStringConvertible {
    case sendHalfAHeader = "half-a-header"
    case pipelineRequests = "requests"
    case pipelineVisits = "visits"

    var description: String {
      switch self {
      case .sendHalfAHeader: "send half a header"
      case .pipelineRequests: "pipeline requests and read nothing"
      case .pipelineVisits: "pipeline visits and read nothing"
      }
    }
  }

  static let perProcess = 5_000

  private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
  private static let python = "\(repository)/.build/python/bin/python"

  static let canRun = FileManager.default.isExecutableFile(atPath: python)

  private let processes: [ChildProcess]

  init(_ kind: Kind, count: Int, port: UInt16, folder: String) throws {
    let shares = stride(from: 0, to: count, by: Self.perProcess).map {
      min(Self.perProcess, count - $0)
    }
    processes = try shares.enumerated().map { index, share in
      try ChildProcess(
        Self.python,
        [
          "\(Self.repository)/Tests/Tools/hostile-clients.py", kind.rawValue, "\(share)", "\(port)",
          "\(2 + index)",
        ], environment: [:], folder: folder)
    }
  }

  /// What went wrong in the processes, such as a missing port or descriptor.
  var errors: String { processes.map(\.errors).joined() }

  /// Resets each connection.
  func leave() {
    for process in processes { process.end() }
  }
}

/// A client that sends GET /health again and again on one connection, which it opened before the
/// hostile clients came.
final class NormalClient {
  private let requesting: Background
  private let slowest: Slowest

  init(port: UInt16) throws {
    let socket = try Socket.connect(to: .ipv4(port))
    let slowest = Slowest()
    self.slowest = slowest
    requesting = Background(every: .milliseconds(20)) {
      slowest.measure { try Self.request(socket) }
    }
  }

  /// - Returns: how long the slowest response took; ten seconds when one failed.
  func stop() -> Duration {
    requesting.stop()
    return slowest.time.withLock(\.self)
  }

  private static func request(_ socket: Socket) throws {
    try socket.send(Array("GET /health HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
    let response = try socket.receive()
    guard response.starts(with: "HTTP/1.1 200".utf8) else {
      throw NeverHappened(description: "200: \(String(decoding: response, as: UTF8.self))")
    }
  }

  private final class Slowest: Sendable {
    let time = Mutex(Duration.zero)

    func measure(_ request: () throws -> Void) {
      let began = ContinuousClock.now
      let succeeded = (try? request()) != nil
      let took = succeeded ? ContinuousClock.now - began : .seconds(10)
      time.withLock { $0 = max($0, took) }
    }
  }
}
