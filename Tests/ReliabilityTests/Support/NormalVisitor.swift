import Foundation
import Synchronization

@testable import TestSupport

/// Visits at a fixed modest rate on a few keep-alive connections, and notes how long each took.
struct NormalVisitor {
  private let sockets: [Socket]
  private static let request = Array("GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: normal\r\n\r\n".utf8)

  /// A visit every so often.
  static let pause = Duration.milliseconds(2)

  init(port: UInt16) throws {
    sockets = try (0..<8).map { _ in try Socket.connect(to: .ipv4(port)) }
  }

  /// - Returns: what each visit took, in ascending order.
  func visit(for time: Duration) throws -> [Duration] {
    let began = ContinuousClock.now
    var latencies: [Duration] = []
    for index in 0..<Int(time / Self.pause) where ContinuousClock.now - began < time * 2 {
      let wait = began + Self.pause * index - .now
      if wait > .zero { Thread.sleep(forTimeInterval: wait.seconds) }
      latencies.append(try visit(on: sockets[index % sockets.count]))
    }
    return latencies.sorted()
  }

  private func visit(on socket: Socket) throws -> Duration {
    let began = ContinuousClock.now
    try socket.send(Self.request)
    let answer = try socket.receive()
    guard answer.starts(with: "HTTP/1.1 200".utf8), answer.last == UInt8(ascii: "\n") else {
      throw NeverHappened(description: "a number: \(String(decoding: answer, as: UTF8.self))")
    }
    return .now - began
  }
}

extension [Duration] {
  /// Of sorted latencies, the one that so many out of a hundred do not exceed.
  func percentile(_ percent: Double) -> Duration {
    isEmpty ? .zero : self[Swift.min(count - 1, Int(Double(count) * percent / 100))]
  }

  var median: Duration { sorted()[count / 2] }
}

/// Does something again and again on a thread of its own, until it is told to stop.
final class Background: Sendable {
  private let isOver = Atomic(false)
  private let hasEnded = Atomic(false)

  /// - Parameter pause: how long it waits after each time.
  init(every pause: Duration, _ body: @escaping @Sendable () -> Void) {
    Thread {
      while !self.isOver.load(ordering: .relaxed) {
        body()
        if pause > .zero { Thread.sleep(forTimeInterval: pause.seconds) }
      }
      self.hasEnded.store(true, ordering: .releasing)
    }.start()
  }

  /// Waits until the last time is over.
  func stop() {
    isOver.store(true, ordering: .relaxed)
    try? waitUntil("the thread ends") { hasEnded.load(ordering: .acquiring) }
  }
}
