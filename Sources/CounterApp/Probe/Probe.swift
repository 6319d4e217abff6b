package import System

/// Checks a running counter from outside, as its clients see it.
package struct Probe {
  private let url: HTTPURL
  private let client: HTTPClient

  /// What is wrong with the counter.
  package enum Failure: Error, Equatable, CustomStringConvertible {
    /// No connection can be made.
    case unreachable(String)
    /// The server does not respond as a counter does.
    case unwell(String)

    package var description: String {
      switch self {
      case .unreachable(let reason), .unwell(let reason): reason
      }
    }
  }

  /// - Parameter limit: how long all requests may take together.
  package init(of url: HTTPURL, limit: Interval) {
    self.url = url
    client = HTTPClient(deadline: .now + limit)
  }

  /// Checks that a counter on this machine responds to `/health` within 2 seconds.
  ///
  /// - Parameter host: the address that the counter listens on. Under `0.0.0.0` and `::` it is
  ///   asked on both loopback addresses.
  package static func checkHealth(host: String, port: UInt16) throws(Failure) {
    let isWildcard = ["0.0.0.0", "::"].contains(host)
    let hosts = isWildcard ? ["127.0.0.1", "::1"] : [host]
    for host in hosts {
      let probe = Probe(of: HTTPURL(host: host, port: port), limit: .seconds(2))
      do throws(Failure) {
        return try probe.checkHealth()
      } catch {
        guard case .unreachable = error else { throw error }
      }
    }
    throw .unreachable("nothing listens on port \(port) of \(hosts.joined(separator: " or "))")
  }

  /// Checks that the counter responds to `/health` as it should.
  package func checkHealth() throws(Failure) {
    let text = try get(.health)
    guard text == "\(Pages.healthy)" else {
      throw .unwell("\(url)/health answers something else than a counter: \(Self.shown(text))")
    }
  }

  /// Visits the counter twice.
  ///
  /// - Returns: the two numbers; the second is the greater one.
  package func visitTwice() throws(Failure) -> (first: Int64, second: Int64) {
    let (first, second) = (try visit(), try visit())
    guard second > first else {
      throw .unwell("\(url)/ gave number \(first) to a visit and \(second) to the next one")
    }
    return (first, second)
  }

  /// What became of two visits of a counter with a name.
  package enum NamedVisits: Equatable, Sendable {
    /// The two numbers; the second is the greater one.
    case counted(first: Int64, second: Int64)
    /// The server, or a proxy in front of it, does not let the counter be there: 403 or 404, and the reason.
    case refused(status: Int, reason: String)
  }

  /// Visits a counter with a name twice.
  package func visitTwice(_ counter: CounterClient.Name) throws(Failure) -> NamedVisits {
    var numbers: [Int64] = []
    for _ in 0..<2 {
      let response = try send(counter.path)
      if response.status == 403 || response.status == 404 {
        return .refused(status: response.status, reason: response.problemDetail)
      }
      numbers.append(try number(of: response, counter.path))
    }
    guard numbers[1] > numbers[0] else {
      let (first, second) = (numbers[0], numbers[1])
      throw .unwell(
        "\(url)\(counter.path) gave number \(first) to a visit and \(second) to the next one")
    }
    return .counted(first: numbers[0], second: numbers[1])
  }

  private func number(of response: HTTPResponse, _ path: String) throws(Failure) -> Int64 {
    let body = try text(of: response, path)
    guard let number = response.number else {
      throw .unwell("\(url)\(path) answers without a number: \(Self.shown(body))")
    }
    return number
  }

  private func visit() throws(Failure) -> Int64 {
    let (before, after) = ("\(Pages.beforeNumber)", "\(Pages.afterNumber)")
    let text = try get(.visit)
    guard text.hasPrefix(before), text.hasSuffix(after),
      let number = Int64(text.dropFirst(before.count).dropLast(after.count))
    else {
      throw .unwell("\(url)/ answers without a visit's number: \(Self.shown(text))")
    }
    return number
  }

  private func get(_ endpoint: Endpoint) throws(Failure) -> String {
    let path = "\(endpoint.path)"
    return try text(of: send(path), path)
  }

  private func send(_ path: String) throws(Failure) -> HTTPResponse {
    let place = "\(url)\(path)"
    do {
      return try client.send(path, to: url)
    } catch Failure.unreachable(let reason) {
      throw .unreachable("\(place): \(reason)")
    } catch {
      throw .unwell("\(place): \(error)")
    }
  }

  /// The text of a response with status 200.
  private func text(of response: HTTPResponse, _ path: String) throws(Failure) -> String {
    guard response.status == 200 else {
      throw .unwell("\(url)\(path) answers \(response.status): \(Self.shown(response.body))")
    }
    return response.body
  }

  static func shown(_ text: String) -> String { "'\(text.onOneLine(" "))'" }
}
