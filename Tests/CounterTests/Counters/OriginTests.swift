import Testing

@testable import TestSupport

@Suite("A namespace with origins", .serialized)
struct OriginTests {
  private static let refusal = "This page's origin may not count in this namespace."
  private static let other = "Origin: https://other.example"
  private static let own = "Origin: https://blog.example"

  @Test("counts the hits of its own pages and of programs, and refuses those of other pages")
  func hits() throws {
    try withTokens(["--origins", "blog=https://blog.example"]) { counter, redis in
      let client = try counter.client()
      let hits = [
        "GET /hit/blog/home", "POST /hit/blog/home", "GET /hit/blog?key=home",
        "POST /hit/blog?key=home", "GET /hit/blog/%68ome",
      ]
      for line in hits {
        for fields in [[Self.other], ["Referer: https://other.example/"], ["Sec-Fetch-Site: none"]]
        {
          expectProblem(try client.ask(line, fields), 403, Self.refusal, line)
        }
      }
      #expect(try redis.countedCounters() == 0)
      for (index, line) in hits.enumerated() {
        #expect(try client.ask(line, [Self.own]).value == Int64(3 * index + 1))
        #expect(
          try client.ask(line, ["Referer: https://blog.example/a"]).value == Int64(3 * index + 2))
        #expect(try client.ask(line).value == Int64(3 * index + 3))
      }
      // A token does not tell whose page sends it.
      let token = TestToken.field(TestToken.blog)
      let add = try client.ask("POST /hit/blog/home?by=5", [token, Self.other])
      expectProblem(add, 403, Self.refusal)
      let once = ["Idempotency-Key: a", token]
      expectProblem(try client.ask("POST /hit/blog/home", once + [Self.other]), 403, Self.refusal)
      #expect(try client.ask("POST /hit/blog/home", once + [Self.own]).value == 16)
      #expect(try client.ask("POST /hit/blog/home", once).value == 16)
    }
  }

  @Test("tells a script of another page the reason")
  func script() throws {
    try withCounterAndRedis(["--origins", "blog=https://blog.example"]) { counter, _ in
      let response = try counter.client().ask(
        "GET /hit/blog/home?callback=f", ["Referer: https://other.example/"])
      #expect(response.status == 200)
      #expect(response.body.hasPrefix("/**/f({"))
      #expect(response.body.contains(Self.refusal))
    }
  }

  @Test("is read by everyone, and managed with a token from everywhere")
  func reads() throws {
    try withTokens(["--origins", "blog=https://blog.example"]) { counter, _ in
      let client = try counter.client()
      #expect(try client.manage("PUT /counters/blog/home?value=7", Self.other).value == 7)
      for line in ["GET /get/blog/home", "POST /get/blog/home", "GET /get/blog?key=home"] {
        #expect(try client.ask(line, [Self.other]).value == 7)
      }
      #expect(try client.ask("HEAD /hit/blog/home", [Self.other]).status == 200)
      #expect(try client.ask("GET /counters/blog/home", [Self.other]).json?["value"] as? Int == 7)
      #expect(try client.get("/get/blog/home").value == 7)
    }
  }

  @Test("leaves other namespaces and the page open to all")
  func others() throws {
    try withCounterAndRedis(["--origins", "blog=https://blog.example"]) { counter, _ in
      let client = try counter.client()
      #expect(try client.ask("GET /hit/shop/home", [Self.other]).value == 1)
      #expect(try client.ask("GET /hit/blog", [Self.other]).value == 1, "a key of default")
      #expect(try client.ask("GET /", [Self.other]).number == 1)
    }
  }

  @Test("does not become known by refusals")
  func order() throws {
    let flags = ["--origins", "blog=https://blog.example", "--namespaces", "blog"]
    try withCounterAndRedis(flags) { counter, _ in
      let client = try counter.client()
      #expect(try client.ask("GET /hit/shop/home", [Self.other]).status == 404)
      #expect(try client.ask("GET /hit/blog/a%00", [Self.other]).status == 400)
      #expect(try client.ask("GET /hit/blog/home", [Self.other]).status == 403)
    }
  }
}
