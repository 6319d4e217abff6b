import Foundation
import Synchronization

@testable import TestSupport

/// A node of a Redis Cluster that answers as a test wants.
///
/// By itself it answers what a connection begins with: READWRITE, PING, and the registration of a writer.
final class FakeNode: Sendable {
  let port: UInt16
  private let listener: Socket
  private let commands = Mutex<[[String]]>([])
  private let answer: @Sendable ([String], FakeNode) -> String?

  /// - Parameter answer: what it answers to a command, in RESP; nil for what any node answers.
  init(_ answer: @escaping @Sendable ([String], FakeNode) -> String?) throws {
    port = try FreePort.take()
    listener = try Socket.listen(on: .ipv4(port))
    self.answer = answer
    Thread { [self] in
      while let client = try? listener.accept(within: .seconds(60)) {
        Thread { self.serve(client) }.start()
      }
    }.start()
  }

  var url: String { "redis://127.0.0.1:\(port)" }

  func end() { listener.end() }

  /// What it was sent so far.
  var received: [[String]] { commands.withLock { $0 } }

  /// Its batches so far.
  var batches: [[String]] { received.filter { $0[0] == "EVALSHA" } }

  private func serve(_ client: Socket) {
    var input: [UInt8] = []
    while let more = try? client.receive(), !more.isEmpty {
      input += more
      while let command = Self.takeCommand(&input) {
        commands.withLock { $0.append(command) }
        let reply = answer(command, self) ?? Self.usualAnswer(command)
        guard (try? client.send(Array(reply.utf8))) != nil else { return }
      }
    }
  }

  private static func usualAnswer(_ command: [String]) -> String {
    switch command[0] {
    case "READWRITE", "ASKING": "+OK\r\n"
    case "PING": "+PONG\r\n"
    case "EVALSHA": ok(1)
    default: ":1\r\n"
    }
  }

  /// The reply to a batch of one visit of `/`.
  static func ok(_ number: Int) -> String {
    let text = "\(number)"
    return "$\(text.count)\r\n\(text)\r\n"
  }

  /// Removes a command that has arrived in full, an array of bulk strings.
  private static func takeCommand(_ input: inout [UInt8]) -> [String]? {
    var rest = input[...]
    guard let count = takeNumber(&rest) else { return nil }
    var words: [String] = []
    for _ in 0..<count {
      guard let length = takeNumber(&rest), rest.count >= length + 2 else { return nil }
      words.append(String(decoding: rest.prefix(length), as: UTF8.self))
      rest = rest.dropFirst(length + 2)
    }
    input = Array(rest)
    return words
  }

  /// Removes a line of a character and a number.
  private static func takeNumber(_ rest: inout ArraySlice<UInt8>) -> Int? {
    guard let end = rest.firstIndex(of: 0x0A) else { return nil }
    let line = String(decoding: rest[..<end].dropFirst().dropLast(), as: UTF8.self)
    rest = rest[(end + 1)...]
    return Int(line)
  }
}
