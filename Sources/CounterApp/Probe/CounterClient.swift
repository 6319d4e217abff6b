import Counting
package import System

/// Reads and changes counters of a running server, for the command line.
package struct CounterClient {
  private let url: HTTPURL
  private let token: String?
  private let client: HTTPClient

  /// - Parameters:
  ///   - token: is sent with each request.
  ///   - limit: how long all requests may take together.
  package init(_ url: HTTPURL, token: String?, limit: Interval) {
    self.url = url
    self.token = token
    client = HTTPClient(deadline: .now + limit)
  }

  /// The name of a counter: `namespace/key`.
  package struct Name: Sendable, Equatable {
    let namespace: String
    let key: String

    /// - Throws: the rule that the text breaks.
    package init(_ text: String) throws {
      let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      namespace = String(parts[0])
      key = parts.count == 2 ? String(parts[1]) : ""
      if let error = CounterName.firstError(namespace: namespace, key: key) {
        throw SettingError(name: "the counter '\(text.onOneLine("?"))'", reason: "\(error.rule)")
      }
    }

    /// The path that hits the counter.
    package var path: String { "/hit/\(namespace)/\(key.percentEncoded)" }

    /// The target of a request, below a path. The key is in the query, where no proxy changes it.
    fileprivate func target(_ path: String, _ parameters: String = "") -> String {
      "\(path)/\(namespace)?key=\(key.percentEncoded)\(parameters)"
    }
  }

  /// Reads a counter.
  package func get(_ name: Name) throws(Probe.Failure) -> Int64 {
    try number("GET", name.target("/get"))
  }

  /// Adds to a counter.
  ///
  /// - Parameter idempotencyKey: repeated, it adds nothing and returns the same number.
  package func hit(
    _ name: Name, by amount: Int64?, idempotencyKey: String?
  ) throws(Probe.Failure) -> Int64 {
    let fields = idempotencyKey.map { [(name: "Idempotency-Key", value: $0)] } ?? []
    let parameters = amount.map { "&by=\($0)" } ?? ""
    return try number("POST", name.target("/hit", parameters), fields)
  }

  /// Sets a counter.
  ///
  /// - Parameter isNew: whether it is an error that the counter exists.
  package func set(
    _ name: Name, to value: Int64, isNew: Bool
  ) throws(Probe.Failure) -> Int64 {
    let fields = isNew ? [(name: "If-None-Match", value: "*")] : []
    return try number("PUT", name.target("/counters", "&value=\(value)"), fields)
  }

  /// Removes a counter.
  ///
  /// - Returns: its last number.
  package func delete(_ name: Name) throws(Probe.Failure) -> Int64 {
    try number("DELETE", name.target("/counters"))
  }

  /// The counters of a namespace, a page after another: a line each, with a number, a tab and a key.
  package func list(
    _ namespace: String, _ page: (String) -> Void
  ) throws(Probe.Failure) {
    var target: String? = "/counters/\(namespace.percentEncoded)"
    while let current = target {
      let response = try send("GET", current, [(name: "Accept", value: "text/plain")])
      page(response.body)
      target = response.nextPage
    }
  }

  private func number(
    _ method: String, _ target: String, _ fields: [(name: String, value: String)] = []
  ) throws(Probe.Failure) -> Int64 {
    let response = try send(method, target, fields)
    guard let number = response.number else {
      throw .unwell("\(url) answers without a number: \(Probe.shown(response.body))")
    }
    return number
  }

  private func send(
    _ method: String, _ target: String, _ fields: [(name: String, value: String)]
  ) throws(Probe.Failure) -> HTTPResponse {
    let authorization = token.map { [(name: "Authorization", value: "Bearer \($0)")] } ?? []
    let response: HTTPResponse
    do {
      response = try client.send(target, method: method, to: url, fields + authorization)
    } catch Probe.Failure.unreachable(let reason) {
      throw .unreachable("http://\(url): \(reason)")
    } catch {
      throw .unwell("http://\(url): \(error)")
    }
    guard (200...299).contains(response.status) else {
      throw .unwell("\(response.status): \(response.problemDetail)")
    }
    return response
  }
}

extension String {
  /// The text with all but unreserved characters percent-encoded (RFC 3986 section 2).
  fileprivate var percentEncoded: String {
    var encoded = ""
    for byte in utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
    return encoded
  }
}
