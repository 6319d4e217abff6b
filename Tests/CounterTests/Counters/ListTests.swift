import Foundation
import Testing

@testable import TestSupport

@Suite("The list of a namespace", .serialized)
struct ListTests {
  /// All pages of a list.
  private func list(_ client: HTTPClient, _ namespace: String) throws -> [(String, Int64)] {
    var counters: [(String, Int64)] = []
    var query = ""
    for _ in 0..<1000 {
      let response = try client.manage("GET /counters/\(namespace)\(query)")
      #expect(response.status == 200, "\(response.body)")
      let json = try #require(response.json)
      #expect(json["namespace"] as? String == namespace)
      for counter in json["counters"] as? [[String: Any]] ?? [] {
        let number = try #require(counter["value"] as? NSNumber)
        counters.append((try #require(counter["key"] as? String), number.int64Value))
      }
      guard let cursor = json["cursor"] as? String else {
        #expect(json["cursor"] is NSNull)
        return counters
      }
      query = "?cursor=\(cursor)"
    }
    throw NeverHappened(description: "the list does not end")
  }

  @Test("has each of 2,500 counters, with its number, and none of another namespace")
  func complete() throws {
    try withTokens { counter, redis in
      let client = try counter.client()
      let keys = (0..<2500).map { "page-\($0)" }
      for start in stride(from: 0, to: 2500, by: 100) {
        let batch = keys[start..<start + 100].flatMap {
          ["/hit/blog/\($0)", "/hit/blog2/\($0)", "/hit/blo/g\($0)"]
        }
        for part in stride(from: 0, to: 300, by: 100) {
          try client.send(
            batch[part..<part + 100].map { "GET \($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
          for _ in 0..<100 { #expect(try client.readResponse().value == 1) }
        }
      }
      #expect(try client.ask("GET /hit/blog/page-7").value == 2)
      #expect(try client.visit() == 1)
      let counters = try list(client, "blog")
      let found = Dictionary(counters) { first, _ in first }
      #expect(found.count == 2500)
      #expect(found["page-7"] == 2)
      #expect(found["page-2499"] == 1)
      #expect(try list(client, "empty").isEmpty)
      #expect(try list(client, "bl").isEmpty)
      // Other clients are served meanwhile, and counting goes on.
      #expect(try client.ask("GET /hit/blog/page-7").value == 3)
    }
  }

  @Test("has no counter that was removed, and keys of every kind")
  func keys() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      let keys = [
        "a%20b", "%2F", "a%2Fb", "%C3%BC", "%F0%9F%98%80", "*", "%5Ba%5D", "%22", "5", "-5%205",
        "+",
      ]
      for key in keys { #expect(try client.ask("GET /hit/blog/\(key)").value == 1) }
      #expect(try client.manage("PUT /counters/blog/low?value=\(Int64.min)").status == 201)
      #expect(try client.ask("GET /hit/blog/gone").value == 1)
      #expect(try client.manage("DELETE /counters/blog/gone").value == 1)
      let counters = Dictionary(try list(client, "blog")) { first, _ in first }
      #expect(
        Set(counters.keys)
          == ["a b", "/", "a/b", "\u{FC}", "\u{1F600}", "*", "[a]", "\"", "5", "-5 5", "+", "low"])
      #expect(counters["low"] == .min)
    }
  }

  @Test("is whole when a key begins with a mark that combines with what stands before it")
  func combiningMarks() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      for key in ["%CC%81a", "home", "%E2%80%8D"] {
        #expect(try client.ask("GET /hit/blog/\(key)").value == 1)
      }
      let response = try client.manage("GET /counters/blog")
      #expect(response.status == 200)
      #expect((response.json?["counters"] as? [Any])?.count == 3)
    }
  }
}
