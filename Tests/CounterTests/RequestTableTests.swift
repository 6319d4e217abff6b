import Foundation
import Testing

@testable import HTTPTestSupport
@testable import TestSupport

@Suite("The request table", .serialized)
struct RequestTableTests {
  // MARK: The page

  @Test("A visit is told its number, to the byte")
  func visit() throws {
    try withCounterAndRedis { counter, redis in
      let response = try counter.client().get("/")
      #expect(response.statusLine == "HTTP/1.1 200 OK")
      #expect(response.body == "Hello World! I have been seen 1 times.\n")
      #expect(response["Content-Type"] == "text/html; charset=utf-8")
      #expect(response["Cache-Control"] == "no-store")
      #expect(response["Content-Length"] == "39")
      #expect(response["Connection"] == nil)
      #expect(response["Server"] == nil)
      #expect(try redis.hits == "1")
    }
  }

  @Test("An answer carries the time in the form that RFC 9110 prescribes")
  func date() throws {
    try withCounterAndRedis { counter, _ in
      let form = DateFormatter()
      form.locale = Locale(identifier: "en_US_POSIX")
      form.timeZone = TimeZone(identifier: "GMT")
      form.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
      for target in ["/", "/health", "/ready", "/nope"] {
        let text = try #require(try counter.client().get(target)["Date"])
        let date = try #require(form.date(from: text))
        #expect(form.string(from: date) == text)
        #expect(abs(date.timeIntervalSinceNow) < 3)
      }
    }
  }

  @Test("HEAD / counts and has the fields of GET, but no body", arguments: [0, 9, 99])
  func head(before: Int) throws {
    try withCounterAndRedis { counter, redis in
      _ = try redis.command("SET", "hits", "\(before)")
      let client = try counter.client()
      let response = try client.request("HEAD", "/")
      let body = "Hello World! I have been seen \(before + 1) times.\n"
      #expect(response.status == 200)
      #expect(response["Content-Type"] == "text/html; charset=utf-8")
      #expect(response["Cache-Control"] == "no-store")
      #expect(response["Content-Length"] == "\(body.utf8.count)")
      #expect(try redis.hits == "\(before + 1)")
      #expect(try client.visit() == Int64(before + 2), "a body would stand in the way")
    }
  }

  @Test(
    "The page is found however its path is spelled",
    arguments: ["/", "/?", "/?a=b", "/?from=/health", "http://x/", "http://x", "http://x:80/?a"])
  func spellings(target: String) throws {
    try withCounterAndRedis { counter, redis in
      let response = try counter.client().get(target)
      #expect(response.number == 1)
      #expect(try redis.hits == "1")
    }
  }

  // MARK: Probes

  @Test(
    "/health says that the process serves, and never counts",
    arguments: [
      "/health", "/health?deep=1", "/%68ealth", "/%68%65%61%6C%74%68", "http://x/health",
    ])
  func health(target: String) throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      let response = try client.get(target)
      #expect(response.statusLine == "HTTP/1.1 200 OK")
      #expect(response.body == "Microservice a is ready!")
      #expect(response["Content-Type"] == "text/html; charset=utf-8")
      #expect(response["Connection"] == nil)

      let head = try client.request("HEAD", target)
      #expect(head.status == 200)
      #expect(head["Content-Length"] == "24")
      #expect(try redis.hits == nil)
      #expect(try client.visit() == 1)
    }
  }

  @Test("/health does not need Redis")
  func healthWithoutRedis() throws {
    try withCounterAndRedis(["--visit-timeout", "30"]) { counter, redis in
      redis.freeze()
      let response = try counter.client(limit: .seconds(2)).get("/health")
      #expect(response.status == 200)
    }
  }

  @Test("/ready says ready while Redis answers, and never counts")
  func ready() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      try waitUntil("/ready says 200") { try client.get("/ready").status == 200 }
      let response = try client.get("/ready?x")
      #expect(response.body == "ready")
      #expect(response["Content-Type"] == "text/plain; charset=utf-8")
      #expect(try client.request("HEAD", "/ready")["Content-Length"] == "5")
      #expect(try redis.hits == nil)
    }
  }

  @Test("/ready says 503 with the reason while Redis is away, and 200 when it is back")
  func readyWithoutRedis() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      try waitUntil("/ready says 200") { try client.get("/ready").status == 200 }
      redis.crash()
      try waitUntil("/ready says 503") { try client.get("/ready").status == 503 }
      #expect(try !client.get("/ready").body.isEmpty)
      try redis.start()
      try waitUntil("/ready says 200 again") { try client.get("/ready").status == 200 }
    }
  }

  // MARK: Other methods and paths

  @Test(
    "OPTIONS says what is allowed and never counts",
    arguments: [
      ("/", "GET, HEAD, OPTIONS"), ("/health", "GET, HEAD, OPTIONS"),
      ("/ready", "GET, HEAD, OPTIONS"), ("/hit/a/b", "GET, HEAD, POST, OPTIONS"),
      ("*", "GET, HEAD, POST, PUT, DELETE, OPTIONS"),
    ])
  func options(target: String, allowed: String) throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      let response = try client.request("OPTIONS", target)
      #expect(response.status == 200)
      #expect(response["Allow"] == allowed)
      #expect(response["Content-Length"] == "0")
      #expect(try redis.hits == nil)
      #expect(try client.visit() == 1)
    }
  }

  @Test(
    "Another method on a known path is told 405 and what is allowed, and never counts",
    arguments: [
      "POST /", "PUT /health", "DELETE /ready", "PATCH /?a", "TRACE /", "get /",
      "\(String(repeating: "M", count: 32)) /",
    ])
  func otherMethods(line: String) throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      let words = line.components(separatedBy: " ")
      let response = try client.request(words[0], words[1])
      #expect(response.status == 405)
      #expect(response["Allow"] == "GET, HEAD, OPTIONS")
      #expect(!response.closes)
      #expect(try redis.hits == nil)
      #expect(try client.visit() == 1)
    }
  }

  @Test(
    "Another path is told 404 and never counts",
    arguments: [
      "//", "/nope", "/health/", "/Health", "/healt", "/healthy", "/ready/x", "/index.html",
      "/%2F", "/%252F", "http://x//",
    ])
  func otherPaths(target: String) throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      for method in ["GET", "HEAD", "POST", "OPTIONS"] {
        let response = try client.request(method, target)
        #expect(response.status == 404, "\(method)")
        #expect(!response.closes)
      }
      #expect(try redis.hits == nil)
      #expect(try client.visit() == 1)
    }
  }

  // MARK: What is refused

  @Test("A request that does not end is refused before it does", arguments: endlessRequests)
  func endless(_ bad: Refusal) throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client(limit: .seconds(3))
      try client.send(bad.request)
      let response = try client.readResponse()
      #expect(response.status == bad.status)
      #expect(response["Connection"] == "close")
      #expect(try client.readToEnd() == "")
      #expect(try redis.hits == nil)
    }
  }

  @Test("Visits before a bad request on the connection are answered first")
  func refusedAfterVisits() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      let visit = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
      try client.send(visit + visit + "GET / HTTP/1.1\r\n\r\n" + visit)
      #expect(try client.readResponse().number == 1)
      #expect(try client.readResponse().number == 2)
      #expect(try client.readResponse().status == 400)
      #expect(try client.readToEnd() == "")
      #expect(try redis.hits == "2")
    }
  }

  @Test("Every case of the table comes out as it says, and counts so many")
  func table() throws {
    try withCounterAndRedis { counter, redis in
      var count = 0
      for request in RequestTable.all {
        let client = try counter.client()
        try client.socket.send(request.bytes + RequestTable.probe)
        // A connection that is to be closed must be closed without our doing.
        if request.outcome.connection == .kept { client.socket.finishSending() }
        let received = Array(try client.readToEnd().utf8)

        let before = count
        count = Int(try redis.hits ?? "0") ?? 0
        let conversation = Conversation(received: received, visits: count - before)
        #expect(conversation.outcome == request.outcome, "\(request): \(conversation)")
        #expect(conversation.isHonest, "\(request): \(conversation)")
      }
      #expect(count == RequestTable.all.map(\.outcome.visits).reduce(0, +))
    }
  }

  @Test(
    "A client that goes on sending after a refusal can read it to the end",
    arguments: [
      (413, "Content-Length: 1073741824"), (413, "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"),
      (400, "Content-Length: 1\r\nTransfer-Encoding: chunked"), (417, "Expect: magic"),
      (400, "A : b"),
    ])
  func lingering(status: Int, field: String) throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      let body = [UInt8](repeating: UInt8(ascii: "\n"), count: 1 << 20)
      try client.send("POST / HTTP/1.1\r\nHost: x\r\n\(field)\r\n\r\n")
      #expect(try client.socket.isReadable(within: .seconds(5)), "it is refused by now")
      for _ in 0..<16 { try client.socket.send(body) }
      let response = try client.readResponse()
      #expect(response.status == status)
      #expect(response.closes)
      #expect(try client.socket.receive() == [], "an end in order, not a reset")
      #expect(try redis.hits == nil)
    }
  }

  @Test("Empty lines before a request line are ignored", arguments: [1, 2, 3])
  func emptyLines(count: Int) throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      let request = String(repeating: "\r\n", count: count) + "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
      try client.send(request + request)
      #expect(try client.readResponse().number == 1)
      #expect(try client.readResponse().number == 2)
    }
  }
}
