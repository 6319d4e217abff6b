import Foundation
import Synchronization

@testable import TestSupport

/// A sentinel of the test's own, which answers what it is told to.
final class FakeSentinel: Sendable {
  /// What is answered to the question for the primary.
  enum Answer {
    case primary(String, UInt16)
    /// In the words of the protocol.
    case raw(String)
    /// Nothing, to any command.
    case silence
    /// The end of the connection.
    case close
    /// The address, and an error to those who want to listen.
    case unheard(String, UInt16)
  }

  private struct State {
    var answer: Answer
    var isEnded = false
    var connections: [Socket] = []
    var isSubscribed: Set<ObjectIdentifier> = []
    var commands: [[String]] = []
  }

  let port: UInt16
  private let listener: Socket
  private let state: Mutex<State>

  /// The words of the authentication that it wants; nil for none.
  private let authentication: [String]?

  init(_ answer: Answer, authentication: [String]? = nil) throws {
    port = try FreePort.take()
    listener = try Socket.listen(on: .ipv4(port))
    state = Mutex(State(answer: answer))
    self.authentication = authentication
    Thread { [self] in
      while !state.withLock(\.isEnded) { serve() }
    }.start()
  }

  /// How often it was asked for the primary.
  var asked: Int { commands.count { $0.contains("GET-MASTER-ADDR-BY-NAME") } }

  /// What it was told, all connections together.
  var commands: [[String]] { state.withLock(\.commands) }

  /// How many connections listen.
  var listeners: Int { state.withLock { $0.isSubscribed.count } }

  func answer(_ answer: Answer) {
    state.withLock { $0.answer = answer }
  }

  /// Tells those who listen.
  func announce(_ text: String) {
    state.withLock { state in
      for client in state.connections where state.isSubscribed.contains(ObjectIdentifier(client)) {
        try? client.send(Array(Self.list(["message", "+switch-master", text]).utf8))
      }
    }
  }

  /// Closes all connections.
  func closeConnections() {
    state.withLock { state in
      state.connections = []
      state.isSubscribed = []
    }
  }

  func end() {
    state.withLock { $0.isEnded = true }
  }

  private func serve() {
    if let client = try? listener.accept(within: .milliseconds(2)) {
      state.withLock { $0.connections.append(client) }
    }
    state.withLock { state in
      let clients = state.connections
      for index in (try? Socket.readable(among: clients, within: .zero)) ?? [] {
        answer(clients[index], &state)
      }
    }
  }

  private func answer(_ client: Socket, _ state: inout State) {
    let bytes = (try? client.receive()) ?? []
    if !bytes.isEmpty {
      // A command comes in one piece: it is short.
      for command in Self.commands(String(decoding: bytes, as: UTF8.self)) {
        state.commands.append(command)
        guard let reply = reply(to: command, client, &state) else { return close(client, &state) }
        try? client.send(Array(reply.utf8))
      }
    } else {
      close(client, &state)
    }
  }

  private func close(_ client: Socket, _ state: inout State) {
    state.connections.removeAll { $0 === client }
    state.isSubscribed.remove(ObjectIdentifier(client))
  }

  /// - Returns: nil to end the connection.
  private func reply(to command: [String], _ client: Socket, _ state: inout State) -> String? {
    if case .silence = state.answer { return "" }
    switch command[0] {
    case "AUTH":
      return command == authentication ? "+OK\r\n" : "-WRONGPASS invalid username-password pair\r\n"
    case "SENTINEL":
      if authentication != nil, !state.commands.contains(where: { $0 == authentication }) {
        return "-NOAUTH Authentication required.\r\n"
      }
      switch state.answer {
      case .primary(let host, let port), .unheard(let host, let port):
        return Self.list([host, "\(port)"])
      case .raw(let text): return text
      case .silence: return ""
      case .close: return nil
      }
    case "SUBSCRIBE":
      if case .unheard = state.answer { return "-NOPERM no permissions\r\n" }
      state.isSubscribed.insert(ObjectIdentifier(client))
      return "*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n"
    case "PING":
      return Self.list(["pong", ""])
    default:
      return "-ERR unknown command\r\n"
    }
  }

  private static func list(_ words: [String]) -> String {
    "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
  }

  /// The commands in some bytes, each an array of bulk strings.
  private static func commands(_ text: String) -> [[String]] {
    var commands: [[String]] = []
    var lines = text.components(separatedBy: "\r\n")[...]
    while let line = lines.popFirst(), line.hasPrefix("*"), let count = Int(line.dropFirst()) {
      commands.append(
        (0..<count).map { _ in
          lines = lines.dropFirst()
          return lines.popFirst() ?? ""
        })
    }
    return commands
  }
}
