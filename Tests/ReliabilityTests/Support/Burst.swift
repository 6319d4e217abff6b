import Foundation
import Glibc

@testable import TestSupport

/// Fifty visits on a connection of their own, in one write, the last of which closes it.
enum Burst {
  static let size = 50

  private static let requests = Array(
    (String(repeating: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", count: size - 1)
      + "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").utf8)

  /// - Throws: when the last got no number; how many did, Redis knows.
  static func visit(_ port: UInt16) throws {
    let socket = try Socket.connect(to: .ipv4(port))
    try socket.send(requests)
    var last: [UInt8] = []
    while true {
      let more = try socket.receive()
      if more.isEmpty { break }
      last = last.suffix(100) + more
    }
    guard last.suffix(8).elementsEqual(" times.\n".utf8) else {
      throw NeverHappened(
        description: "\(size) numbers: \(String(decoding: last, as: UTF8.self))")
    }
  }

  /// As many visits as that, by several visitors at a time.
  static func visit(_ count: Int, _ port: UInt16) throws {
    let visitors = 4
    _ = try inParallel(visitors, within: .seconds(1200)) { _ in
      for _ in 0..<count / size / visitors { try visit(port) }
    }
  }
}
