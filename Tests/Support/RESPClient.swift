import Foundation

/// A connection of the test's own to Redis, to look at the truth and to cause trouble.
final class RESPClient {
  private let socket: Socket
  private var received: [UInt8] = []
  private var position = 0

  init(_ address: Socket.Address, password: String? = nil) throws {
    socket = try Socket.connect(to: address)
    if let password { _ = try command(["AUTH", password]) }
  }

  func command(_ words: [String]) throws -> RESPReply {
    var request = "*\(words.count)\r\n"
    for word in words { request += "$\(word.utf8.count)\r\n\(word)\r\n" }
    try socket.send(Array(request.utf8))
    return try readReply()
  }

  private func readReply() throws -> RESPReply {
    let line = try readLine()
    let rest = String(line.dropFirst())
    switch line.first {
    case "+": return .status(rest)
    case "-": return .error(rest)
    case ":": return .integer(try number(rest))
    case "$":
      let count = Int(try number(rest))
      guard count >= 0 else { return .missing }
      let text = String(decoding: try read(count), as: UTF8.self)
      _ = try read(2)
      return .text(text)
    case "*":
      return .list(try (0..<max(0, number(rest))).map { _ in try readReply() })
    default:
      throw NeverHappened(description: "Redis answered \(line)")
    }
  }

  private func number(_ text: String) throws -> Int64 {
    guard let number = Int64(text) else {
      throw NeverHappened(description: "Redis answered \(text) for a number")
    }
    return number
  }

  private func readLine() throws -> String {
    var line: [UInt8] = []
    while let byte = try read(1).first, byte != UInt8(ascii: "\n") { line.append(byte) }
    return String(decoding: line.dropLast(), as: UTF8.self)
  }

  private func read(_ count: Int) throws -> [UInt8] {
    while received.count - position < count {
      let more = try socket.receive()
      guard !more.isEmpty else { throw SocketError.reset }
      received = received[position...] + more
      position = 0
    }
    defer { position += count }
    return Array(received[position..<position + count])
  }
}
