import Foundation
import Testing

@testable import TestSupport

/// A request for a counter that breaks a rule, and the problem that it is answered.
private struct BadRequest {
  let line: String
  let fields: [String]
  let status: Int
  let detail: String
}

extension [BadRequest] {
  fileprivate mutating func add(_ line: String, status: Int = 400, _ detail: String) {
    add(line, [], status: status, detail)
  }

  fileprivate mutating func add(
    _ line: String, _ fields: [String], status: Int = 400, _ detail: String
  ) {
    append(BadRequest(line: line, fields: fields, status: status, detail: detail))
  }
}

private func repeated(_ text: String, _ count: Int) -> String {
  String(repeating: text, count: count)
}

/// A byte, percent-encoded.
private func encoded(_ byte: Int) -> String {
  "%" + String(0x100 + byte, radix: 16).dropFirst()
}

private let token = TestToken.field(TestToken.blog)

private let namespaceRequests: [BadRequest] = {
  var requests: [BadRequest] = []
  func add(_ namespaces: [String], _ detail: String) {
    for namespace in namespaces {
      for line in [
        "GET /hit/\(namespace)/home", "POST /hit/\(namespace)/home", "GET /get/\(namespace)/home",
        "GET /hit/\(namespace)", "GET /hit/\(namespace)?key=home",
        "GET /get/\(namespace)?key=a&key=b", "PUT /counters/\(namespace)/home?value=1",
        "DELETE /counters/\(namespace)/home", "GET /counters/\(namespace)",
      ] {
        requests.add(line, line.contains("counters") ? [token] : [], detail)
      }
    }
  }
  add(["", repeated("n", 65), repeated("%6E", 65)], "A namespace has 1 to 64 characters.")
  add(
    [
      "a%2Fb", "a%00b", "a%20b", "a+b", "a%0Ab", "a%7Fb", "a%C3%BCb", "a%FFb", "a:b", "a;b", "*",
      "a%25b", "%7B7%7D",
    ], "A namespace is made of A-Z, a-z, 0-9, '.', '_' and '-'.")
  add([".", "..", "%2E", "%2e%2e", ".%2E"], "A namespace is not '.' or '..'.")
  return requests
}()

private let keyRequests: [BadRequest] = {
  var requests: [BadRequest] = []
  func add(_ keys: [String], _ detail: String) {
    for key in keys {
      for line in [
        "GET /hit/blog/\(key)", "GET /hit/blog?key=\(key)", "GET /get/blog/\(key)",
        "GET /get/blog?key=home&key=\(key)", "PUT /counters/blog/\(key)?value=1",
        "POST /hit/blog?key=\(key)&by=2", "DELETE /counters/blog?key=\(key)",
      ] {
        requests.add(line, line.hasPrefix("GET") ? [] : [token], detail)
      }
    }
  }
  add(
    ["", repeated("k", 129), repeated("%C3%BC", 64) + "k", repeated("%F0%9F%98%80", 33)],
    "A key has 1 to 128 bytes.")
  add(
    [
      "%FF", "%C3", "a%80b", "%C0%AF", "%C0%80", "%ED%A0%80", "%F5%80%80%80", "%F0%9F%98", "%FE%FF",
    ], "A key is UTF-8.")
  let controls = Array(0x00...0x1F) + [0x7F]
  add(controls.map { "a\(encoded($0))b" }, "A key has no control characters.")
  add((0x80...0x9F).map { "a%C2\(encoded($0))b" }, "A key has no control characters.")
  add(
    [".", "..", "%2E", "%2e%2E", "a%2F..", "..%2Fb", "a%2f.%2Fb", "%2F..%2F", ".%2F"],
    "A key has no segment '.' or '..', which clients and proxies resolve.")
  return requests
}()

private let queryRequests: [BadRequest] = {
  var requests: [BadRequest] = []
  for query in ["key=a%", "key=%4", "key=%zz", "callback=%", "%", "a&%f=1", "key=home&by=%"] {
    let detail = "The query is malformed: two hexadecimal digits follow a percent sign."
    requests.add("GET /hit/blog?\(query)", detail)
    requests.add("GET /get/blog?\(query)", detail)
  }
  for callback in [
    "", "alert(1)", "a;b", "%3Cscript%3E", "a+b", "a%00", "a%0A", "1a", ".a", "a-b", "a[0]",
    "%C3%BC", "a%22", "a%27", "a//", "a%5Cu0028", repeated("a", 65),
  ] {
    let detail = "A callback has 1 to 64 of A-Z, a-z, 0-9, _, $ and '.', and no digit or dot first."
    requests.add("GET /hit/blog/home?callback=\(callback)", detail)
    requests.add("GET /get/blog?key=home&callback=\(callback)", detail)
  }
  let several = "Only /get takes several keys."
  requests.add("GET /hit/blog?key=home&key=about", several)
  requests.add("PUT /counters/blog?key=home&key=about&value=1", [token], several)
  requests.add("DELETE /counters/blog?key=home&key=home", [token], several)
  let tooMany = "A request has at most 128 keys."
  requests.add("GET /get/blog?key=a\(repeated("&key=a", 128))", tooMany)
  requests.add("GET /hit/blog?key=a\(repeated("&key=a", 128))", tooMany)
  requests.add("GET /get/blog?\(repeated("key&", 2000))", tooMany)
  let repeatable = "Only the parameter key can be repeated."
  requests.add("GET /hit/blog/home?callback=a&callback=b", repeatable)
  requests.add("POST /hit/blog/home?by=1&by=2", [token], repeatable)
  let missing = "The key is missing: put it into the path, or into ?key=."
  requests.add("PUT /counters/blog?value=5", [token], missing)
  requests.add("DELETE /counters/blog", [token], missing)
  requests.add(
    "PUT /counters/blog/home", [token], "The number is missing: put it into ?value=.")
  let absent = "The counter does not exist."
  requests.add("GET /get/blog/nobody", status: 404, absent)
  requests.add("GET /get/nobody", status: 404, absent)
  requests.add("DELETE /counters/blog/nobody", [token], status: 404, absent)
  return requests
}()

private let numberRequests: [BadRequest] = {
  var requests: [BadRequest] = []
  let numbers = [
    "", "x", "1.5", "%2B5", "+5", "5+", "1e3", "0x10", "--5", "-", "5,0", "%D9%A3",
    "9223372036854775808", "-9223372036854775809", "99999999999999999999999999",
  ]
  for number in numbers + ["0", "-0", "00"] {
    let detail = "by is an integer of 64 bits other than 0."
    requests.add("POST /hit/blog/home?by=\(number)", [token], detail)
    requests.add("POST /hit/blog/home?by=\(number)", [token, "Idempotency-Key: x"], detail)
  }
  for number in numbers {
    requests.add(
      "PUT /counters/blog/home?value=\(number)", [token], "value is an integer of 64 bits.")
  }
  for cursor in ["x", "-1", "%2B1", "1.0", "18446744073709551616"] {
    requests.add(
      "GET /counters/blog?cursor=\(cursor)", [token], "cursor is what the page before returned.")
  }
  requests.add("GET /hit/blog/home?by=5", [token], "by needs the method POST.")
  requests.add("GET /hit/blog/home?by=0", "by needs the method POST.")
  let range = "The number would leave 64 bits."
  requests.add("POST /hit/blog/home?by=9223372036854775807", [token], status: 409, range)
  requests.add("POST /hit/blog/low?by=-9223372036854775808", [token], status: 409, range)
  requests.add("GET /hit/blog/full", status: 409, range)
  requests.add("POST /hit/blog/full?by=1", [token, "Idempotency-Key: x"], status: 409, range)
  return requests
}()

private let headerRequests: [BadRequest] = {
  var requests: [BadRequest] = []
  let once = "An Idempotency-Key is one field of 1 to 255 visible ASCII characters."
  for key in ["a b", "", repeated("k", 256), "a\tb", "\u{FC}", "a,\u{A0}b"] {
    requests.add("POST /hit/blog/home", [token, "Idempotency-Key: \(key)"], once)
  }
  requests.add(
    "POST /hit/blog/home", [token, "Idempotency-Key: a", "Idempotency-Key: a"], once)
  requests.add(
    "POST /hit/blog/home", ["Idempotency-Key: a"], status: 401,
    "Idempotency-Key needs a token, because each key is kept for a day: "
      + "Authorization: Bearer TOKEN.")
  let condition = "The only condition for a change is If-None-Match: * with PUT."
  for fields in [
    ["If-None-Match: \"abc\""], ["If-None-Match:"], ["If-None-Match: *", "If-None-Match: *"],
    ["If-Match: *"], ["if-match: \"abc\"", "If-None-Match: *"],
  ] {
    requests.add("PUT /counters/blog/home?value=1", [token] + fields, condition)
  }
  for line in ["DELETE /counters/blog/home", "POST /hit/blog/home", "POST /hit/blog?key=home&by=2"]
  {
    for field in ["If-Match: *", "If-None-Match: *", "If-None-Match: \"abc\""] {
      requests.add(line, [token, field], condition)
    }
  }
  requests.add(
    "PUT /counters/blog/home?value=1", [token, "If-None-Match: *"], status: 412,
    "The counter exists already.")
  return requests
}()

@Suite("A bad request for a counter", .serialized)
struct BadRequestTests {
  /// Sends requests to a counter that has some counters, and checks that nothing but their responses comes
  /// of them.
  private func expectProblems(_ requests: [BadRequest]) throws {
    try withTokens { counter, redis in
      let client = try counter.client()
      for (name, number) in [("home", "42"), ("full", "\(Int64.max)"), ("low", "-1")] {
        #expect(try client.manage("PUT /counters/blog/\(name)?value=\(number)").status == 201)
      }
      #expect(try client.visit() == 1)
      let before = try redis.contents()
      for request in requests {
        let response = try client.ask(request.line, request.fields)
        let comment = "\(request.line.prefix(200)) \(request.fields)"
        expectProblem(response, request.status, request.detail, comment)
        #expect(!response.closes, "\(comment)")
      }
      #expect(try redis.contents() == before)
      #expect(try client.ask("GET /hit/blog/home").value == 43)
      #expect(try client.visit() == 2)
    }
  }

  @Test("is told which rule of namespaces it breaks, and changes nothing")
  func namespaces() throws { try expectProblems(namespaceRequests) }

  @Test("is told which rule of keys it breaks, and changes nothing")
  func keys() throws { try expectProblems(keyRequests) }

  @Test("is told which rule of queries it breaks, and changes nothing")
  func queries() throws { try expectProblems(queryRequests) }

  @Test("is told which rule of numbers it breaks, and changes nothing")
  func numbers() throws { try expectProblems(numberRequests) }

  @Test("is told which rule of header fields it breaks, and changes nothing")
  func fields() throws { try expectProblems(headerRequests) }

  @Test("is refused with its connection where it is no request at all")
  func targets() throws {
    try withTokens { counter, redis in
      let before = try redis.contents()
      for (target, status, detail) in [
        ("/hit/blog/home%", 400, "The request target is malformed."),
        ("/hit/blog/home%4", 400, "The request target is malformed."),
        ("/hit/blog%zz/home", 400, "The request target is malformed."),
        ("/hit/blog/a\u{FC}", 400, "The request target is malformed."),
        ("/get/blog?" + repeated("key=a&", 2100), 414, "The request target is too long."),
        ("/hit/blog/" + repeated("k", 12_300), 414, "The request target is too long."),
      ] {
        let client = try counter.client()
        let response = try client.ask("GET \(target)")
        expectProblem(response, status, detail, String(target.prefix(100)))
        #expect(response.closes)
      }
      #expect(try redis.contents() == before)
    }
  }

  @Test("disturbs none of the visits that are pipelined around it")
  func pipelined() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      let bad = keyRequests + numberRequests.filter { $0.fields.isEmpty }
      var sent = 0
      for request in bad.prefix(100) {
        let lines = ["GET /hit/blog/home", request.line, "GET /hit/blog/home"]
        try client.send(
          lines.map { "\($0) HTTP/1.1\r\nHost: x\r\n\(token)\r\n\r\n" }.joined())
        #expect(try client.readResponse().value == Int64(sent + 1))
        #expect(try client.readResponse().status == request.status, "\(request.line)")
        #expect(try client.readResponse().value == Int64(sent + 2))
        sent += 2
      }
    }
  }

  @Test("is told so in a script that calls the function, with 200")
  func scripts() throws {
    try withTokens { counter, redis in
      let client = try counter.client()
      let before = try redis.contents()
      let requests = (namespaceRequests + keyRequests + queryRequests).filter {
        ($0.line.contains(" /hit") || $0.line.contains(" /get")) && !$0.line.contains("callback")
      }
      for request in requests where request.line.utf8.count < 8_100 {
        let separator = request.line.contains("?") ? "&" : "?"
        let response = try client.ask(
          request.line + separator + "callback=show.it", request.fields)
        #expect(response.status == 200, "\(request.line)")
        #expect(response["Content-Type"] == "text/javascript; charset=utf-8", "\(request.line)")
        let start = #"/**/show.it({"type":"about:blank","title":"#
        #expect(response.body.hasPrefix(start), "\(request.line): \(response.body)")
        #expect(response.body.contains(request.detail), "\(request.line): \(response.body)")
        #expect(response.body.hasSuffix("});"))
      }
      #expect(try redis.contents() == before)
    }
  }

  @Test("of management keeps its status, whatever callback it has")
  func managementScripts() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      for line in [
        "PUT /counters/blog/home?value=1&callback=f", "DELETE /counters/blog/home?callback=f",
        "GET /counters/blog?callback=f",
      ] {
        let response = try client.ask(line)
        expectProblem(
          response, 401, "This request needs a token: Authorization: Bearer TOKEN.", line)
      }
    }
  }

  @Test("of a key that holds something else stops no other counter")
  func otherTypes() throws {
    try withTokens { counter, redis in
      let client = try counter.client()
      for text in ["x", "1.5", "01", " 1", "9223372036854775808"] {
        #expect(try client.manage("PUT /counters/blog/home?value=7").status < 300)
        guard case .list(let keys) = try redis.command("KEYS", "*:blog/home") else { return }
        _ = try redis.command(["SET", keys.first?.text ?? "", text])
        let detail = "The counter's key in Redis holds something else than an integer."
        try client.send(
          ["/hit/blog/other", "/hit/blog/home", "/get/blog/home", "/hit/blog/other"]
            .map { "GET \($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
        let first = try #require(try client.readResponse().value)
        expectProblem(try client.readResponse(), 409, detail)
        expectProblem(try client.readResponse(), 409, detail)
        #expect(try client.readResponse().value == first + 1)
        #expect(try redis.command("GET", keys.first?.text ?? "").text == text)
        _ = try redis.command(["DEL", keys.first?.text ?? ""])
      }
    }
  }
}
