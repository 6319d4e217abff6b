import Foundation

/// One connection to the counter, on which a test sends the bytes it wants and reads answers.
final class HTTPClient {
  /// An answer that is not HTTP/1.1 as the suite knows it.
  struct Malformed: Error {
    let received: String
  }

  let socket: Socket
  private var received: [UInt8] = []
  private var position = 0

  init(
    port: UInt16, ipv6: Bool = false, receiveBuffer: Int32? = nil, limit: Duration = .seconds(10)
  ) throws {
    socket = try Socket.connect(
      to: ipv6 ? .ipv6(port) : .ipv4(port), receiveBuffer: receiveBuffer, limit: limit)
  }

  func send(_ text: String) throws {
    try socket.send(Array(text.utf8))
  }

  /// Sends a request without a body and reads its answer.
  func request(_ method: String, _ target: String, _ fields: String...) throws -> HTTPResponse {
    let lines = ["\(method) \(target) HTTP/1.1", "Host: counter.test"] + fields
    try send(lines.joined(separator: "\r\n") + "\r\n\r\n")
    return try readResponse(toHead: method == "HEAD")
  }

  func get(_ target: String) throws -> HTTPResponse {
    try request("GET", target)
  }

  /// Visits the page and returns the visit's number.
  func visit() throws -> Int64 {
    let response = try get("/")
    guard let number = response.number else {
      throw Malformed(received: "\(response.statusLine) \(response.body)")
    }
    return number
  }

  /// Reads exactly one answer.
  ///
  /// - Parameter toHead: the answer has no body, whatever its Content-Length says.
  func readResponse(toHead: Bool = false) throws -> HTTPResponse {
    let lines = try read(upTo: "\r\n\r\n").components(separatedBy: "\r\n")
    let fields = try lines.dropFirst().map { line in
      guard let colon = line.firstIndex(of: ":") else { throw Malformed(received: line) }
      let value = line[line.index(after: colon)...]
      return (name: String(line[..<colon]), value: value.trimmingCharacters(in: .whitespaces))
    }
    let header = HTTPResponse(statusLine: lines[0], fields: fields, body: "")
    guard header.statusLine.hasPrefix("HTTP/1.1 ") else {
      throw Malformed(received: header.statusLine)
    }
    if toHead || header.status < 200 || header.status == 304 { return header }
    guard let length = header["Content-Length"].flatMap(Int.init), length >= 0 else {
      throw Malformed(received: lines.joined(separator: "\n"))
    }
    while received.count - position < length { try receiveMore() }
    let body = String(decoding: take(length), as: UTF8.self)
    return HTTPResponse(statusLine: lines[0], fields: fields, body: body)
  }

  /// Everything up to the end of the stream.
  func readToEnd() throws -> String {
    for _ in 0..<100_000 {
      do {
        try receiveMore()
      } catch SocketError.reset {
        break
      }
    }
    return String(decoding: take(received.count - position), as: UTF8.self)
  }

  /// Whether nothing came for so long, not even the end of the stream.
  func hearsNothing(for time: Duration) throws -> Bool {
    try received.count == position && !socket.isReadable(within: time)
  }

  /// Everything up to an end, which is taken and left out.
  func read(upTo end: String) throws -> String {
    forgetWhatWasTaken()
    let end = Array(end.utf8)
    var searched = position
    for _ in 0..<100_000 {
      if let found = received[searched...].firstRange(of: end) {
        let header = take(found.upperBound - position).dropLast(end.count)
        return String(decoding: header, as: UTF8.self)
      }
      searched = max(position, received.count - end.count + 1)
      try receiveMore()
    }
    throw Malformed(received: "a text without end")
  }

  private func forgetWhatWasTaken() {
    guard position > 65_536 else { return }
    received.removeFirst(position)
    position = 0
  }

  private func take(_ count: Int) -> ArraySlice<UInt8> {
    defer { position += count }
    return received[position..<position + count]
  }

  /// Waits for more; the end of the stream counts as a reset.
  private func receiveMore() throws {
    let more = try socket.receive()
    guard !more.isEmpty else { throw SocketError.reset }
    received += more
  }
}
