import Foundation
import Testing

@testable import TestSupport

@Suite("The number of a counter", .serialized)
struct RepresentationTests {
  @Test("is JSON or text, as the Accept field prefers, whatever client sends it")
  func accept() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      let jsonFields = [
        // curl, wget, fetch, Go; axios; jQuery; browsers; image elements; scripts.
        "*/*", "application/json, text/plain, */*",
        "application/json, text/javascript, */*; q=0.01",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "application/json",
        "application/*", "", "text/html", "image/png", "text/plain;q=0", "text/plain;q=0.000",
        "text/plain;q=0.5, application/json;q=0.6", "text/plain, application/json",
        "text/plain;q=0.9, */*", "text/*;q=0.5, application/json", "garbage", ",,;;,",
        "text/plainx", "application/json;charset=utf-8, text/plain;q=0.9",
        "text/plain;q=0, text/*;q=1",
      ]
      let textFields = [
        "text/plain", "TEXT/Plain", "text/*", "text/plain; charset=utf-8", "text/plain;q=0.1",
        "text/plain, */*;q=0.5", "text/plain;q=0.6, application/json;q=0.5",
        "application/json;q=0.5,text/plain", "text/html, text/plain;q=0.9, */*;q=0.1",
        "application/json;q=0, */*", "text/plain\t;\tq=1.000 , application/json ; q=0.999",
      ]
      var number: Int64 = 0
      for (fields, isText) in [(jsonFields, false), (textFields, true)] {
        for field in fields {
          number += 1
          let hit = try client.ask("GET /hit/a/b", ["Accept: \(field)"])
          let get = try client.ask("GET /get/a/b", ["Accept: \(field)"])
          for response in [hit, get] {
            #expect(response.status == 200, "\(field)")
            #expect(
              response.body == (isText ? "\(number)\n" : #"{"value":\#(number)}"#), "\(field)")
            #expect(
              response["Content-Type"]
                == (isText ? "text/plain; charset=utf-8" : "application/json"),
              "\(field)")
          }
        }
      }
      #expect(try client.ask("GET /get/a/b").value == number)
      let split = try client.ask(
        "GET /get/a/b", ["Accept: text/plain", "Accept: application/json;q=0.5"])
      #expect(split.body == "\(number)\n")
      let later = try client.ask(
        "GET /get/a/b", ["Accept: text/html", "X: y", "accept: image/png, text/plain"])
      #expect(later.body == "\(number)\n")
      expectProblem(
        try client.ask("GET /get/a/nobody", ["Accept: text/plain"]), 404,
        "The counter does not exist.")
    }
  }

  @Test("comes as a script that calls a function, for every name that may be one")
  func scripts() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      let callbacks = [
        "f", "_", "$", "a.b.c", "jQuery3410_169", "A1$_.x", String(repeating: "f", count: 64),
      ]
      for (index, callback) in callbacks.enumerated() {
        let hit = try client.ask(
          "GET /hit/a/b?callback=\(callback)&_=1700000000", ["Accept: text/plain"])
        #expect(hit.status == 200)
        #expect(hit.body == #"/**/\#(callback)({"value":\#(index + 1)});"#)
        #expect(hit["Content-Type"] == "text/javascript; charset=utf-8")
        #expect(hit["X-Content-Type-Options"] == "nosniff")
        #expect(hit["Cross-Origin-Resource-Policy"] == "cross-origin")
        #expect(hit["Cache-Control"] == "no-cache, no-store, max-age=0, must-revalidate")
        let get = try client.ask("GET /get/a/b?callback=\(callback)")
        #expect(get.body == hit.body)
        let several = try client.ask("GET /get/a?key=b&key=c&callback=\(callback)")
        #expect(several.body == #"/**/\#(callback)({"values":{"b":\#(index + 1),"c":null}});"#)
      }
      let absent = try client.ask("GET /get/a/nobody?callback=f")
      #expect(absent.status == 200)
      #expect(absent.body.hasPrefix("/**/f({") && absent.body.hasSuffix(#","value":null});"#))
    }
  }

  @Test("is not changed by HEAD, which has the fields of a read and no text")
  func head() throws {
    try withTokens { counter, redis in
      let client = try counter.client()
      #expect(try client.manage("PUT /counters/a/b?value=99").status == 201)
      let before = try redis.contents()
      for target in [
        "/hit/a/b", "/get/a/b", "/hit/a?key=b", "/get/a?key=b", "/hit/a/b?by=5", "/counters/a/b",
        "/get/a?key=b&key=c", "/hit/a/b?callback=f", "/get/a/nobody", "/hit/a/%00",
      ] {
        let read = target.replacing("/hit/", with: "/get/")
        let expected = try client.ask("GET \(read)")
        for _ in 0..<3 {
          let head = try client.ask("HEAD \(target)")
          #expect(head.status == expected.status, "\(target)")
          #expect(head["Content-Length"] == expected["Content-Length"], "\(target)")
          #expect(head["Content-Type"] == expected["Content-Type"], "\(target)")
        }
      }
      let once = try client.ask(
        "HEAD /hit/a/b", [TestToken.field(TestToken.all), "Idempotency-Key: x"])
      #expect(once.status == 200)
      #expect(try redis.contents() == before)
      #expect(try client.ask("GET /hit/a/b").value == 100)
    }
  }

  @Test("of several counters comes in one answer, in their order")
  func several() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      for key in ["a", "b", "b"] { _ = try client.ask("GET /hit/blog?key=\(key)") }
      let response = try client.ask("GET /get/blog?key=b&key=nobody&key=a&key=b")
      #expect(response.body == #"{"values":{"b":2,"nobody":null,"a":1}}"#)
      let text = try client.ask(
        "GET /get/blog?key=b&key=nobody&key=a&key=b", ["Accept: text/plain"])
      #expect(text.body == "2\n-\n1\n2\n")
      let none = try client.ask("GET /get/blog?key=x&key=y")
      #expect(none.status == 200)
      #expect(none.body == #"{"values":{"x":null,"y":null}}"#)
      // In an object of JavaScript a plain "__proto__" is no member.
      let names = try client.ask("GET /get/blog?key=__proto__&key=a&callback=f")
      #expect(names.body == #"/**/f({"values":{["__proto__"]:null,"a":1}});"#)
    }
  }

  @Test("of 128 counters is read in one batch")
  func oneBatch() throws {
    try withMetrics(["--threads", "1"]) { counter, redis, port in
      let client = try counter.client()
      let keys = (0..<128).map { "k\($0)" }
      for key in keys { #expect(try client.ask("GET /hit/a/\(key)").value == 1) }
      let before = try Scrape(port: port)
      let query = keys.map { "key=\($0)" }.joined(separator: "&")
      let values = try client.ask("GET /get/a?\(query)").json?["values"] as? [String: Int]
      #expect(values == Dictionary(uniqueKeysWithValues: keys.map { ($0, 1) }))
      let after = try Scrape(port: port)
      func difference(_ name: String) -> Double? {
        guard let old = before[name], let new = after[name] else { return nil }
        return new - old
      }
      #expect(difference("counter_batch_size_count") == 1)
      #expect(difference("counter_batch_size_sum") == 128)
    }
  }

  @Test("of hits that arrive together is counted in few batches, each with several counters")
  func fewBatches() throws {
    try withMetrics(["--threads", "1"]) { counter, redis, port in
      let client = try counter.client()
      #expect(try client.visit() == 1)
      let before = try Scrape(port: port)["counter_batch_size_count"] ?? 0
      let lines = (0..<100).map { "GET /hit/a/k\($0 % 50) HTTP/1.1\r\nHost: x\r\n\r\n" }
      try client.send(lines.joined())
      for index in 0..<100 { #expect(try client.readResponse().value == Int64(index / 50 + 1)) }
      let batches = (try Scrape(port: port)["counter_batch_size_count"] ?? 0) - before
      #expect((1...10).contains(batches))
    }
  }
}
