import Foundation
import Testing

@testable import TestSupport

@Suite("A limit on counters", .serialized)
struct LimitTests {
  private static let full = "There are as many counters as may be; existing ones go on counting."

  @Test("of namespaces answers others 404, and reads and counts nothing of them")
  func namespaces() throws {
    try withTokens(["--namespaces", "blog, shop"]) { counter, redis in
      let client = try counter.client()
      #expect(try client.ask("GET /hit/blog/home").value == 1)
      #expect(try client.ask("GET /hit/shop?key=home").value == 1)
      let before = try redis.contents()
      for line in [
        "GET /hit/other/home", "POST /hit/other/home", "GET /hit/other?key=home",
        "GET /get/other/home",
        "GET /get/other?key=a&key=b", "GET /hit/visits", "GET /get/visits", "GET /hit/Blog/home",
        "GET /counters/other/home", "PUT /counters/other/home?value=1",
        "DELETE /counters/other/home",
        "GET /counters/other", "POST /hit/other/home?by=5",
      ] {
        expectProblem(
          try client.manage(line), 404, "This server does not have this namespace.", line)
      }
      #expect(try redis.contents() == before)
      #expect(try client.visit() == 1)
    }
  }

  @Test("lets the counters that exist go on, and a removed one makes room")
  func reached() throws {
    try withTokens(["--max-counters", "2"]) { counter, redis in
      let client = try counter.client()
      #expect(try client.ask("GET /hit/a/1").value == 1)
      #expect(try client.manage("PUT /counters/a/2?value=7").status == 201)
      let before = try redis.contents()
      for line in [
        "GET /hit/a/3", "POST /hit/a/3", "POST /hit/a/3?by=5", "PUT /counters/a/3?value=1",
        "GET /hit/another",
      ] {
        expectProblem(try client.manage(line), 403, Self.full, line)
      }
      expectProblem(try client.manage("POST /hit/a/3", "Idempotency-Key: x"), 403, Self.full)
      expectProblem(
        try client.manage("PUT /counters/a/3?value=1", "If-None-Match: *"), 403, Self.full)
      #expect(try client.ask("GET /get/a/3").status == 404)
      #expect(try redis.contents() == before)
      #expect(try client.ask("GET /hit/a/1").value == 2)
      #expect(try client.manage("POST /hit/a/2?by=3").value == 10)
      #expect(try client.manage("PUT /counters/a/2?value=1").value == 1)
      #expect(try client.visit() == 1)
      #expect(try client.manage("DELETE /counters/a/1").value == 2)
      #expect(try client.ask("GET /hit/a/3").value == 1)
      expectProblem(try client.ask("GET /hit/a/1"), 403, Self.full)
      #expect(try redis.countedCounters() == 2)
    }
  }

  @Test("of none refuses every counter with a name, and not the page")
  func none() throws {
    try withCounterAndRedis(["--max-counters", "0"]) { counter, _ in
      let client = try counter.client()
      expectProblem(try client.ask("GET /hit/a/b"), 403, Self.full)
      #expect(try client.visit() == 1)
    }
  }

  @Test("is kept exactly when many clients make counters in two processes at the same time")
  func exact() throws {
    try withRedis { redis in
      let flags = ["--redis", redis.url, "--max-counters", "100", "--threads", "2"]
      try withCounter(flags) { first in
        try withCounter(flags) { second in
          let ports = [first.port, second.port]
          for port in ports {
            try waitUntil("Redis answers") {
              try HTTPClient(port: port).get("/ready").status == 200
            }
          }
          // Each name is asked for twice, in both processes.
          let answers = try concurrently(32) { index in
            let client = try HTTPClient(port: ports[index % 2])
            let lines = (0..<20).map { "GET /hit/n\(index % 5)/key-\(index / 2)-\($0)" }
            try client.send(lines.map { "\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
            return try lines.map { line in (line, try client.readResponse()) }
              .map { ($0.0, $0.1.status, $0.1.value) }
          }.flatMap { $0 }
          #expect(Set(answers.map(\.1)) == [200, 403])
          #expect(answers.count { $0.2 == 1 } == 100)
          #expect(try redis.countedCounters() == 100)
          guard case .list(let keys) = try redis.command("KEYS", "{*}:*/*") else { return }
          #expect(keys.count == 100)
          for line in Set(answers.filter { $0.1 == 200 }.map(\.0)) {
            #expect(try first.client().ask(line).status == 200)
          }
        }
      }
    }
  }
}
