import Foundation
import Testing

@testable import TestSupport

@Suite("The name of a counter", .serialized)
struct NameTests {
  @Test("may have every character and length that the rules allow")
  func allowed() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      let long = String(repeating: "k", count: 128)
      let names = [
        "a/b", "A/b", "a/B", "a.b_c-d/e", "-/-", "_/_", "a.../b", "0/0",
        "\(String(repeating: "n", count: 64))/\(long)",
        "a/\(String(repeating: "%C3%BC", count: 64))",
        "a/%F0%9F%98%80", "a/%E2%80%A8", "a/%C2%A0", "a/...", "a/..a", "a/a..", "a/a%2Fb", "a/%2F",
        "a/%2F%2F", "a/a%20b", "a/a+b", "a/%22%5C", "a/%27", "a/%3Cscript%3E", "a/*", "a/%7B7%7D",
        "a/%25", "a/%25zz", "a/a:b", "a/a;b", "a/a,b", "a/a%3Fb", "a/a%23b", "a/counters",
        "a/claim",
      ]
      for name in names {
        #expect(try client.ask("GET /hit/\(name)").value == 1, "\(name)")
      }
      for name in names {
        #expect(try client.ask("GET /get/\(name)").value == 1, "\(name)")
      }
      #expect(try redis.countedCounters() == names.count)
      #expect(try redis.hits == nil)
    }
  }

  @Test("is the same in a path and in a query")
  func spellings() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      let spellings = [
        "/hit/blog/a%20b%2Fc", "/hit/blog?key=a+b/c", "/hit/blog?key=a%20b%2fc",
        "/hit/%62log/%61%20b%2Fc", "http://x/hit/blog?key=a%20b/c", "/%68it/blog?%6Bey=a+b/c",
        "/hit/blog?other=1&key=a+b/c&", "/hit/blog?&&key=a+b/c",
      ]
      for (index, target) in spellings.enumerated() {
        #expect(try client.ask("GET \(target)").value == Int64(index + 1), "\(target)")
      }
    }
  }

  @Test("differs from another of the same look: each is a counter of its own")
  func normalization() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      let (composed, decomposed) = ("%C3%A9", "e%CC%81")
      #expect(try client.ask("GET /hit/a/\(composed)").value == 1)
      #expect(try client.ask("GET /hit/a/\(composed)").value == 2)
      #expect(try client.ask("GET /hit/a/\(decomposed)").value == 1)
      let both = try client.ask("GET /get/a?key=\(composed)&key=\(decomposed)")
      #expect(
        both.body.unicodeScalars.elementsEqual(
          "{\"values\":{\"\u{E9}\":2,\"e\u{301}\":1}}".unicodeScalars))
    }
  }

  @Test("of one segment is a key of the namespace default, as with CountAPI")
  func oneSegment() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      #expect(try client.ask("GET /hit/visits").value == 1)
      #expect(try client.ask("GET /hit/default/visits").value == 2)
      #expect(try client.ask("GET /hit/default?key=visits").value == 3)
      #expect(try client.ask("GET /get/visits").value == 3)
      #expect(
        try client.ask("GET /counters/default/visits").body
          == #"{"namespace":"default","key":"visits","value":3}"#)
    }
  }

  @Test("is repeated in JSON with everything escaped that JSON demands")
  func escaping() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      let key = "\"\\</script>\u{2028}\u{1F600}/ "
      var allowed = CharacterSet.alphanumerics
      allowed.remove(charactersIn: "/")
      let encoded = try #require(key.addingPercentEncoding(withAllowedCharacters: allowed))
      #expect(try client.ask("GET /hit/a/\(encoded)").value == 1)
      #expect(try client.ask("GET /counters/a/\(encoded)").json?["key"] as? String == key)
      let list = try client.manage("GET /counters/a").json?["counters"] as? [[String: Any]]
      #expect(list?.first?["key"] as? String == key)
      let values =
        try client.ask("GET /get/a?key=\(encoded)&key=b").json?["values"] as? [String: Any]
      #expect(values?[key] as? Int == 1)
      #expect(values?["b"] is NSNull)
    }
  }
}
