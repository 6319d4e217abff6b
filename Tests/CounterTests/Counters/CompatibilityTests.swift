import Foundation
import Testing

@testable import TestSupport

@Suite("A client of another counter", .serialized)
struct CompatibilityTests {
  @Test("of CountAPI gets what it expects, with only the host changed")
  func countAPI() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      // As documented by CountAPI, and as countapi-js sends it.
      #expect(try client.ask("GET /hit/mysite.com/visits").value == 1)
      #expect(try client.ask("GET /hit/mysite.com/visits").value == 2)
      #expect(try client.ask("GET /get/mysite.com/visits").value == 2)
      #expect(try client.ask("GET /hit/33a3b2c1-6a0e-4c1b-9f6d-0d2a5d3f7c11").value == 1)
      let script = try client.ask("GET /hit/mysite.com/visits?callback=websiteVisits")
      #expect(script.status == 200)
      #expect(script.body == #"/**/websiteVisits({"value":3});"#)
      // $.getJSON(".../hit/mysite.com/visits?callback=?", …)
      let jQuery = try client.ask(
        "GET /hit/mysite.com/visits?callback=jQuery36007_1669&_=1669000000",
        ["Accept: */*", "Referer: https://mysite.com/"])
      #expect(jQuery.body == #"/**/jQuery36007_1669({"value":4});"#)
      let absent = try client.ask("GET /get/mysite.com/nothing")
      #expect(absent.status == 404)
      #expect(absent.json?["value"] is NSNull)
      #expect(absent["Access-Control-Allow-Origin"] == "*")
    }
  }

  @Test("of Abacus gets what it expects, with only the host changed")
  func abacus() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      #expect(try client.ask("GET /hit/mynamespace/mykey").value == 1)
      #expect(try client.ask("GET /get/mynamespace/mykey").value == 1)
      let script = try client.ask("GET /get/mynamespace/mykey?callback=myCallback")
      #expect(script.body == #"/**/myCallback({"value":1});"#)
      let absent = try client.ask("GET /get/mynamespace/nothing")
      #expect(absent.status == 404)
      #expect(absent.json?["error"] is String)
    }
  }

  @Test("that posts a body counts one visit, whatever the body says")
  func bodies() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      for (index, (type, body)) in [
        ("application/json", #"{"by":5}"#), ("application/x-www-form-urlencoded", "by=5&value=9"),
        ("text/plain", ""), ("multipart/form-data; boundary=x", "--x--"),
      ].enumerated() {
        try client.send(
          "POST /hit/blog/home HTTP/1.1\r\nHost: x\r\nContent-Type: \(type)\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        #expect(try client.readResponse().value == Int64(index + 1), "\(type)")
      }
    }
  }
}
