import Foundation

@testable import TestSupport

/// Clients that hold connections for as long as they are let: a quarter sends a header, a quarter a
/// body, a byte a second; a quarter asks much and reads nothing; a quarter says nothing after a
/// visit.
final class SlowClients {
  private let headers: [Socket]
  private let bodies: [Socket]
  private let readers: [Socket]
  private let idlers: [Socket]
  private let dripping: Background

  private static let visit = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

  init(_ count: Int, port: UInt16) throws {
    func connect(_ receiveBuffer: Int32? = nil) throws -> [Socket] {
      try (0..<count / 4).map { _ in
        try Socket.connect(to: .ipv4(port), receiveBuffer: receiveBuffer)
      }
    }
    let (headers, bodies) = (try connect(), try connect())
    (readers, idlers) = (try connect(2048), try connect())
    for socket in headers { try socket.send(Array("GET / HTTP/1.1\r\nHost: x\r\nX: ".utf8)) }
    for socket in bodies {
      try socket.send(Array("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n".utf8))
    }
    let flood = Array(String(repeating: Self.visit, count: 100).utf8)
    for socket in readers { try socket.send(flood) }
    for socket in idlers { try socket.send(Array(Self.visit.utf8)) }
    for socket in idlers { _ = try socket.receive() }
    (self.headers, self.bodies) = (headers, bodies)
    dripping = Background(every: .seconds(1)) {
      for socket in headers + bodies { _ = try? socket.sendAtOnce([UInt8(ascii: "x")]) }
    }
  }

  func leave() {
    dripping.stop()
    for socket in headers + bodies + readers + idlers { try? socket.resetOnClose() }
  }
}
