import BasicContainers
import System

/// Sends requests to an HTTP server, each on a connection of its own, and waits for the responses
/// until one deadline for all.
struct HTTPClient {
  let deadline: Instant

  /// Longer than any response of a counter, in bytes.
  private static var longestResponse: Int { 1 << 20 }

  /// Sends a request without a body.
  ///
  /// - Parameter fields: header fields beside Host, User-Agent and Connection.
  func send(
    _ target: String, method: String = "GET", to url: HTTPURL,
    _ fields: [(name: String, value: String)] = []
  ) throws -> HTTPResponse {
    let socket = try connect(to: url.server)
    let fixed = [("Host", "\(url)"), ("User-Agent", "counter"), ("Connection", "close")]
    let lines = (fixed + fields).map { "\($0.0): \($0.1)\r\n" }.joined()
    let request = Array("\(method) \(target) HTTP/1.1\r\n\(lines)\r\n".utf8)
    var sent = 0
    while sent < request.count {
      try wait(for: .write, on: socket.number)
      sent += try socket.send(request.span.extracting(sent...)) ?? 0
    }
    return try receive(from: socket)
  }

  /// Connects to the first of the host's addresses that accepts the connection.
  private func connect(to server: HostPort) throws -> Descriptor {
    var failure = Probe.Failure.unwell("unknown host: it has no address")
    for address in try lookUp(server) {
      do {
        let socket = try Descriptor.connecting(to: address)
        try wait(for: .write, on: socket.number)
        if let error = socket.connectionError { throw error }
        return socket
      } catch let error as SystemError {
        failure = .unreachable(error.reason)
      }
    }
    throw failure
  }

  private func lookUp(_ server: HostPort) throws -> [SocketAddress] {
    if let address = SocketAddress(host: server.host, port: server.port) { return [address] }
    let resolver = try Resolver()
    try resolver.start(server.host, port: server.port)
    try wait(for: .read, on: resolver.descriptor)
    switch resolver.takeResult() {
    case .success(let addresses): return addresses
    case .failure(let unknown): throw Probe.Failure.unwell("unknown host: \(unknown.reason)")
    case nil: return []
    }
  }

  /// Receives all that comes until the server closes the connection, as it was asked to.
  private func receive(from socket: borrowing Descriptor) throws -> HTTPResponse {
    var received = UniqueArray<UInt8>()
    while received.count < Self.longestResponse {
      try wait(for: .read, on: socket.number)
      var count: Int?
      try received.append(addingCount: 4096) { output throws(SystemError) in
        count = try socket.receive(into: &output)
      }
      if count == 0 { return try HTTPResponse((0..<received.count).map { received[$0] }) }
    }
    throw Probe.Failure.unwell("its answer is longer than any of a counter's")
  }

  private func wait(for interest: Readiness, on descriptor: CInt) throws {
    guard try waitForEvent(interest, on: descriptor, until: deadline) else {
      throw Probe.Failure.unwell("no answer in time")
    }
  }
}
