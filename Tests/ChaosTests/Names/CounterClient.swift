import Foundation

@testable import TestSupport

/// A client of counters with names, with a keep-alive connection to each port that it uses.
struct CounterClient {
  /// A token for all namespaces.
  static let token = "Zr5mPq9Lx3Jc6Wd1"

  /// Why requests were not answered.
  private(set) var failures: [Tally.Failure] = []

  private let whenRefused: Visitors.WhenRefused
  private var connections: [UInt16: HTTPClient] = [:]

  init(whenRefused: Visitors.WhenRefused) {
    self.whenRefused = whenRefused
  }

  /// Sends a request to each of the ports before it reads the answer to any.
  ///
  /// - Returns: the requests that were sent.
  mutating func send(
    _ action: CounterAction, to counter: String, idempotencyKey: String? = nil, ports: [UInt16]
  ) -> [CounterRequest] {
    let text = Self.request(action, counter, idempotencyKey)
    let sent = ports.compactMap { port -> (port: UInt16, began: ContinuousClock.Instant)? in
      let began = ContinuousClock.now
      guard connect(to: port) else { return nil }
      attempt(port, began) { try $0.send(text) }
      return (port, began)
    }
    return sent.map { port, began in
      let response = receive(from: port, began)
      return CounterRequest(
        action: action, idempotencyKey: idempotencyKey, began: began, ended: .now,
        answer: response.map { CounterAnswer($0.status, $0.counterNumber) },
        isReplayed: response?["Idempotent-Replayed"] == "true")
    }
  }

  private mutating func connect(to port: UInt16) -> Bool {
    if connections[port] != nil { return true }
    do {
      connections[port] = try HTTPClient(port: port, limit: .seconds(20))
      return true
    } catch {
      if error as? SocketError != .refused || whenRefused == .fail { note(error, port, .now) }
      Thread.sleep(forTimeInterval: 0.005)
      return false
    }
  }

  /// - Returns: nil if the server says that it does not know whether it has carried out the request, or says
  ///   nothing.
  private mutating func receive(
    from port: UInt16, _ began: ContinuousClock.Instant
  ) -> HTTPResponse? {
    guard let response = attempt(port, began, { try $0.readResponse() }) else { return nil }
    if response.closes { connections[port] = nil }
    guard response.status == 503 else { return response }
    failures.append(
      .init(began: began, reason: "\(response.statusLine) \(response.body)", port: port))
    return nil
  }

  /// Uses the connection to a port, if there is one, and gives it up after an error.
  @discardableResult
  private mutating func attempt<Result>(
    _ port: UInt16, _ began: ContinuousClock.Instant, _ body: (HTTPClient) throws -> Result
  ) -> Result? {
    do {
      return try connections[port].map(body)
    } catch {
      note(error, port, began)
      connections[port] = nil
      return nil
    }
  }

  private mutating func note(_ error: any Error, _ port: UInt16, _ began: ContinuousClock.Instant) {
    failures.append(.init(began: began, reason: "\(error)", port: port))
  }

  private static func request(
    _ action: CounterAction, _ counter: String, _ idempotencyKey: String?
  ) -> String {
    var lines = ["\(line(action, counter, idempotencyKey)) HTTP/1.1", "Host: counter.test"]
    if idempotencyKey != nil || (action != .add(1) && action != .read) {
      lines.append("Authorization: Bearer \(token)")
    }
    if let idempotencyKey { lines.append("Idempotency-Key: \(idempotencyKey)") }
    if case .create = action { lines.append("If-None-Match: *") }
    if Bool.random() { lines.append("Accept: text/plain") }
    return lines.joined(separator: "\r\n") + "\r\n\r\n"
  }

  private static func line(
    _ action: CounterAction, _ counter: String, _ idempotencyKey: String?
  ) -> String {
    switch action {
    case .add(1) where idempotencyKey == nil && Bool.random(): "GET /hit/\(counter)"
    case .add(1): "POST /hit/\(counter)"
    case .add(let amount): "POST /hit/\(counter)?by=\(amount)"
    case .read: "GET /get/\(counter)"
    case .set(let number), .create(let number): "PUT /counters/\(counter)?value=\(number)"
    case .remove: "DELETE /counters/\(counter)"
    }
  }
}

extension HTTPResponse {
  /// The number of a counter, as JSON or as text.
  fileprivate var counterNumber: Int64? {
    let text = body.components(separatedBy: "\"value\":").last ?? body
    return Int64(text.prefix { $0 != "}" && $0 != "," && $0 != "\n" })
  }
}
