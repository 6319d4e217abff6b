import Foundation
import Synchronization
import Testing

@testable import TestSupport

/// Tokens that the tests give a counter.
enum TestToken {
  static let all = "all-9f3c51d2a7e84b60"
  static let blog = "blog-4e1b77c09d3f5a28"
  static let shop = "shop-c8a2064f1e9b7d53"

  /// The file that holds them.
  static let file = """
    # The tokens of the tests.
    * \(all)
    blog \(blog)

    shop \(shop)
    """

  static func field(_ token: String) -> String { "Authorization: Bearer \(token)" }
}

/// Lends a running counter that has the tokens of the tests and one event loop, with its redis-server.
func withTokens<Result>(
  _ flags: [String] = [], _ body: (CounterProcess, RedisProcess) throws -> Result
) throws -> Result {
  try withTemporaryFolder { folder in
    let path = "\(folder)/tokens"
    try TestToken.file.write(toFile: path, atomically: true, encoding: .utf8)
    return try withCounterAndRedis(["--tokens", path, "--threads", "1"] + flags) { counter, redis in
      try waitUntil("Redis answers") { try counter.client().get("/ready").status == 200 }
      return try body(counter, redis)
    }
  }
}

extension HTTPClient {
  /// Sends a request without a body and reads its response.
  ///
  /// - Parameters:
  ///   - line: the method and the target.
  ///   - fields: header fields, each with its name.
  func ask(_ line: String, _ fields: [String] = []) throws -> HTTPResponse {
    let lines = ["\(line) HTTP/1.1", "Host: counter.test"] + fields
    try send(lines.joined(separator: "\r\n") + "\r\n\r\n")
    return try readResponse(toHead: line.hasPrefix("HEAD "))
  }

  /// Sends a request that needs a token for all namespaces.
  func manage(_ line: String, _ fields: String...) throws -> HTTPResponse {
    try manage(line, fields)
  }

  func manage(_ line: String, _ fields: [String]) throws -> HTTPResponse {
    try ask(line, [TestToken.field(TestToken.all)] + fields)
  }
}

extension HTTPResponse {
  /// The object of a body in JSON.
  var json: [String: Any]? {
    (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any]
  }

  /// The number of a response `{"value":43}`, to the byte.
  var value: Int64? {
    guard status == 200 || status == 201, self["Content-Type"] == "application/json",
      let number = json?["value"] as? NSNumber, body == #"{"value":\#(number.int64Value)}"#
    else { return nil }
    return number.int64Value
  }

  /// The reason of a problem.
  var detail: String? { json?["detail"] as? String }
}

/// The response is a problem as RFC 9457 has it, with the members and fields of this program.
func expectProblem(
  _ response: HTTPResponse, _ status: Int, _ detail: String, _ comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let comment = Comment(rawValue: "\(comment): \(response.statusLine) \(response.body)")
  #expect(response.status == status, comment, sourceLocation: sourceLocation)
  #expect(
    response["Content-Type"] == "application/problem+json", comment, sourceLocation: sourceLocation)
  #expect(response["Access-Control-Allow-Origin"] == "*", comment, sourceLocation: sourceLocation)
  #expect(response["Cache-Control"] == "no-store", comment, sourceLocation: sourceLocation)
  #expect(response.detail == detail, comment, sourceLocation: sourceLocation)
  let json = response.json ?? [:]
  #expect(json["error"] as? String == detail, comment, sourceLocation: sourceLocation)
  #expect(json["status"] as? Int == status, comment, sourceLocation: sourceLocation)
  #expect(json["type"] as? String == "about:blank", comment, sourceLocation: sourceLocation)
  let phrase = response.statusLine.split(separator: " ", maxSplits: 2).last.map(String.init)
  #expect(json["title"] as? String == phrase, comment, sourceLocation: sourceLocation)
}

extension RedisProcess {
  /// All that is stored but the claims of the writers: keys and values, and how many keys there are.
  func contents() throws -> [String] {
    guard case .list(let keys) = try command("KEYS", "*") else { return [] }
    let names = keys.compactMap(\.text).filter { !$0.contains("claim") }.sorted()
    let values = try names.map { "\($0) \(try command("GET", $0))" }
    return values + ["DBSIZE \(try command("DBSIZE"))"]
  }

  /// How many counters with names there are by the numbers that Redis keeps of them.
  func countedCounters() throws -> Int {
    try (0..<16).map { Int(try command("GET", "{\($0)}:counters").text ?? "0") ?? -1 }.reduce(0, +)
  }
}

/// Runs a closure so many times at once, each time on a thread of its own.
///
/// - Returns: the results, in the order of the indices.
func concurrently<Element: Sendable>(
  _ count: Int, _ body: @escaping @Sendable (Int) throws -> Element
) throws -> [Element] {
  let results = SharedResults<Element>()
  for index in 0..<count {
    Thread {
      let result = Result { try body(index) }
      results.elements.withLock { $0[index] = result.mapError { Failed(reason: "\($0)") } }
    }.start()
  }
  try waitUntil("all threads are done", within: .seconds(60)) {
    results.elements.withLock { $0.count == count }
  }
  let elements = results.elements.withLock { $0 }
  return try (0..<count).map { index in
    guard let result = elements[index] else { throw Failed(reason: "no result") }
    return try result.get()
  }
}

private struct Failed: Error { let reason: String }

private final class SharedResults<Element: Sendable>: Sendable {
  let elements = Mutex<[Int: Result<Element, Failed>]>([:])
}
