import Foundation

@testable import TestSupport

/// A server of the test's own that answers each connection's first request with the next of some
/// given texts, whatever was asked, and then closes it; nil leaves the connection unanswered.
final class ScriptedServer: Sendable {
  let port: UInt16
  private let listener: Socket

  init(_ answers: [String?]) throws {
    let port = try FreePort.take()
    let listener = try Socket.listen(on: .ipv4(port))
    self.port = port
    self.listener = listener
    Thread {
      for answer in answers {
        guard let client = try? listener.accept(within: .seconds(20)) else { return }
        var request: [UInt8] = []
        while !String(decoding: request, as: UTF8.self).contains("\r\n\r\n") {
          guard let more = try? client.receive(), !more.isEmpty else { break }
          request += more
        }
        guard let answer else {
          // Until the client has had enough.
          _ = try? client.receive()
          continue
        }
        try? client.send(Array(answer.utf8))
        client.finishSending()
      }
    }.start()
  }

  deinit {
    listener.end()
  }
}

/// An answer as a counter gives it.
func answer(_ body: String, status: String = "200 OK") -> String {
  "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

/// A counter's answer to a visit.
func visit(_ number: Int) -> String { answer("Hello World! I have been seen \(number) times.\n") }
