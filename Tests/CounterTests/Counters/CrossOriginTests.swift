import Foundation
import Testing

@testable import TestSupport

@Suite("A page of another origin", .serialized)
struct CrossOriginTests {
  @Test("may read every answer about counters, problems and refusals of HTTP too")
  func everyAnswer() throws {
    try withTokens(["--namespaces", "a", "--header-timeout", "1", "--body-timeout", "1"]) {
      counter, redis in
      let long = String(repeating: "x", count: 20_000)
      let token = TestToken.field(TestToken.all)
      let once = "Idempotency-Key: x"
      let requests: [(Int, String, [String])] = [
        (200, "GET /hit/a/b", []), (200, "POST /hit/a/b", []), (200, "GET /get/a/b", []),
        (200, "HEAD /hit/a/b", []), (200, "GET /hit/a/b", ["Accept: text/plain"]),
        (200, "GET /hit/a/b?callback=f", []), (200, "GET /get/a?key=b&key=c", []),
        (201, "PUT /counters/a/new?value=1", [token]),
        (200, "PUT /counters/a/new?value=1", [token]),
        (200, "GET /counters/a/b", []), (200, "GET /counters/a", [token]),
        (200, "DELETE /counters/a/new", [token]), (200, "POST /hit/a/b", [token, once]),
        (200, "POST /hit/a/b", [token, once]), (422, "POST /hit/a/b?by=2", [token, once]),
        (400, "GET /hit/a/%00", []), (401, "GET /counters/a", []),
        (401, "GET /counters/a", ["Authorization: x"]),
        (404, "GET /hit/other/b", []), (404, "GET /get/a/nobody", []), (404, "GET /nowhere", []),
        (405, "PATCH /hit/a/b", []), (405, "POST /counters/a/b", []), (405, "DELETE /hit/a/b", []),
        (412, "PUT /counters/a/b?value=1", [token, "If-None-Match: *"]),
        (200, "OPTIONS /hit/a/b", []), (200, "OPTIONS /counters/a/b", []), (200, "OPTIONS *", []),
        (414, "GET /hit/a/\(long)", []), (431, "GET /hit/a/b", ["X: \(long)"]),
        (400, "GET /hit/a/b%", []), (400, "GET /hit/a/b", ["Bad Field: x"]),
        (413, "POST /hit/a/b", ["Content-Length: 999999999"]),
        (417, "POST /hit/a/b", ["Expect: magic", "Content-Length: 1"]),
        (501, "POST /hit/a/b", ["Transfer-Encoding: gzip, chunked"]),
        (408, "POST /hit/a/b", ["Content-Length: 5"]),
      ]
      for (status, line, fields) in requests {
        let response = try counter.client().ask(line, ["Origin: https://blog.example"] + fields)
        let comment = Comment(rawValue: "\(line.prefix(80)) \(response.statusLine)")
        #expect(response.status == status, comment)
        #expect(response["Access-Control-Allow-Origin"] == "*", comment)
        #expect(response["Access-Control-Allow-Credentials"] == nil, comment)
      }
      let version = try counter.client()
      try version.send("GET /hit/a/b HTTP/2.0\r\nHost: x\r\n\r\n")
      let refused = try version.readResponse()
      #expect(refused.status == 505)
      #expect(refused["Access-Control-Allow-Origin"] == "*")
      let slow = try counter.client()
      try slow.send("GET /hit/a/b HTTP/1.1\r\n")
      let timeout = try slow.readResponse()
      #expect(timeout.status == 408)
      #expect(timeout["Access-Control-Allow-Origin"] == "*")
    }
  }

  @Test("may read that Redis does not answer")
  func unavailable() throws {
    try withTokens(["--visit-timeout", "0.3"]) { counter, redis in
      redis.freeze()
      let token = TestToken.field(TestToken.all)
      for line in [
        "GET /hit/a/b", "POST /hit/a/b?by=2", "GET /get/a/b", "GET /get/a?key=b&key=c",
        "PUT /counters/a/b?value=1", "DELETE /counters/a/b", "GET /counters/a/b", "GET /counters/a",
      ] {
        let response = try counter.client().ask(line, [token])
        expectProblem(response, 503, "Redis does not answer in time. Please try again.", line)
        #expect(response["Retry-After"] == "1", "\(line)")
      }
      let script = try counter.client().ask("GET /hit/a/b?callback=f")
      #expect(script.status == 200)
      #expect(script.body.hasPrefix(#"/**/f({"type":"about:blank","title":"Service Unavailable""#))
      redis.thaw()
    }
  }

  @Test("needs no question before GET and POST, and is told before PUT and DELETE what it may send")
  func preflight() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      for (target, methods) in [
        ("/hit/a/b", "GET, HEAD, POST, OPTIONS"), ("/hit/a?key=b", "GET, HEAD, POST, OPTIONS"),
        ("/get/a/b", "GET, HEAD, POST, OPTIONS"),
        ("/counters/a/b", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("/counters/a", "GET, HEAD, PUT, DELETE, OPTIONS"),
      ] {
        let response = try client.ask(
          "OPTIONS \(target)",
          [
            "Origin: https://blog.example", "Access-Control-Request-Method: PUT",
            "Access-Control-Request-Headers: authorization,idempotency-key,if-none-match",
          ])
        #expect(response.status == 200)
        #expect(response["Access-Control-Allow-Origin"] == "*")
        let allowed = response["Access-Control-Allow-Methods"]?.components(separatedBy: ", ") ?? []
        #expect(Set(allowed) == Set(methods.components(separatedBy: ", ")), "\(target)")
        let fields = response["Access-Control-Allow-Headers"]?.lowercased() ?? ""
        for name in ["authorization", "idempotency-key", "if-none-match", "last-event-id"] {
          #expect(fields.contains(name), "\(target)")
        }
        #expect(response["Access-Control-Max-Age"] != nil)
      }
      #expect(try redis.countedCounters() == 0)
    }
  }
}
