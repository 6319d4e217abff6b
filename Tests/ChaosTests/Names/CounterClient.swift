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

  /// A request to a port.
  struct Outgoing {
    let action: CounterAction
    let counter: CounterNames.Counter
    var idempotencyKey: String?
    var reusesKey = false
    let port: UInt16
  }

  /// Sends requests before it reads the answer to any. Those to the same port are pipelined.
  ///
  /// - Returns: for each, what became of it; nil if it was not sent.
  mutating func send(_ requests: [Outgoing]) -> [CounterRequest?] {
    let sent = requests.map { request in
      let began = ContinuousClock.now
      return (request, began, send(request, began))
    }
    return sent.map { request, began, connection in
      guard let connection else { return nil }
      let response = receive(on: connection, request.port, began)
      return CounterRequest(
        action: request.action, idempotencyKey: request.idempotencyKey, began: began, ended: .now,
        answer: response.map { CounterAnswer($0.status, $0.counterNumber) },
        isReplayed: response?["Idempotent-Replayed"] == "true", reusesKey: request.reusesKey)
    }
  }

  /// - Returns: the connection on which the request may have been received.
  private mutating func send(
    _ request: Outgoing, _ began: ContinuousClock.Instant
  ) -> HTTPClient? {
    guard let connection = connect(to: request.port, began) else { return nil }
    do {
      try connection.send(
        Self.text(request.action, request.counter.name, request.idempotencyKey))
    } catch {
      giveUp(request.port, began, error)
    }
    return connection
  }

  private mutating func connect(
    to port: UInt16, _ began: ContinuousClock.Instant
  ) -> HTTPClient? {
    if let connection = connections[port] { return connection }
    do {
      let connection = try HTTPClient(port: port, limit: .seconds(20))
      connections[port] = connection
      return connection
    } catch {
      if error as? SocketError != .refused || whenRefused == .fail { giveUp(port, began, error) }
      Thread.sleep(forTimeInterval: 0.005)
      return nil
    }
  }

  /// - Returns: nil if the server says that it does not know whether it has carried out the request, or says
  ///   nothing.
  private mutating func receive(
    on connection: HTTPClient, _ port: UInt16, _ began: ContinuousClock.Instant
  ) -> HTTPResponse? {
    do {
      // What was sent before on this connection was perhaps the last that it answered.
      guard connections[port] === connection else { throw SocketError.reset }
      let response = try connection.readResponse()
      if response.closes { connections[port] = nil }
      guard response.status == 503 else { return response }
      note("\(response.statusLine) \(response.body)", port, began)
    } catch {
      if connections[port] === connection { connections[port] = nil }
      note("\(error)", port, began)
    }
    return nil
  }

  private mutating func giveUp(
    _ port: UInt16, _ began: ContinuousClock.Instant, _ error: any Error
  ) {
    connections[port] = nil
    note("\(error)", port, began)
  }

  private mutating func note(_ reason: String, _ port: UInt16, _ began: ContinuousClock.Instant) {
    failures.append(.init(began: began, reason: reason, port: port))
  }

  private static func text(
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
