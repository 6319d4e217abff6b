import Foundation
import Testing

@testable import TestSupport

@Suite("Connections", .serialized)
struct ConnectionTests {
  private static let visit = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
  private static let health = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"

  // MARK: Keep-alive

  @Test("A connection stays open for one visit after the other")
  func keepAlive() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      for number in 1...50 {
        let response = try client.get("/")
        #expect(response.number == Int64(number))
        #expect(response["Connection"] == nil)
      }
    }
  }

  @Test(
    "A client that says Connection: close is answered so, and the connection closed",
    arguments: ["close", "Close", "x, close", "keep-alive, close"])
  func close(value: String) throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: \(value)\r\n\r\n"
      try client.send(request + Self.visit)
      let response = try client.readResponse()
      #expect(response.number == 1)
      #expect(response["Connection"] == "close")
      #expect(try client.readToEnd() == "")
      #expect(try redis.hits == "1", "what comes after the last request does not count")
    }
  }

  @Test("HTTP/1.0 closes after the answer, also without a Host")
  func http10() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      try client.send("GET / HTTP/1.0\r\n\r\n")
      let response = try client.readResponse()
      #expect(response.number == 1)
      #expect(response["Connection"] == "close")
      #expect(try client.readToEnd() == "")
    }
  }

  @Test("HTTP/1.0 with Connection: keep-alive is told so and stays open")
  func http10KeepAlive() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      for number in 1...3 {
        try client.send("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
        let response = try client.readResponse()
        #expect(response.number == Int64(number))
        #expect(response["Connection"]?.lowercased() == "keep-alive")
      }
    }
  }

  // MARK: Pipelining

  @Test("100 visits in one write are answered in order with consecutive numbers")
  func pipelining() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      try client.send(String(repeating: Self.visit, count: 100))
      let numbers = try (1...100).map { _ in try client.readResponse().number }
      #expect(numbers == Array(1...100))
      #expect(try redis.hits == "100")
    }
  }

  @Test("What needs no count is answered in its turn between pipelined visits")
  func pipeliningOfAllKinds() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      let head = "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
      let missing = "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n"
      let options = "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n"
      let post = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nGET"
      let round = Self.visit + Self.health + head + missing + Self.visit + options + post
      try client.send(String(repeating: round, count: 20))
      for index in 0..<20 {
        let before = Int64(index * 3)
        #expect(try client.readResponse().number == before + 1)
        #expect(try client.readResponse().body == "Microservice a is ready!")
        #expect(try client.readResponse(toHead: true).status == 200)
        #expect(try client.readResponse().status == 404)
        #expect(try client.readResponse().number == before + 3)
        #expect(try client.readResponse()["Allow"] == "GET, HEAD, OPTIONS")
        #expect(try client.readResponse().status == 405)
      }
      #expect(try redis.hits == "60")
    }
  }

  @Test("An answer that is ready waits for the visit before it on the connection")
  func orderWhileRedisIsFrozen() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      redis.freeze()
      try client.send(Self.visit + Self.health)
      #expect(try client.hearsNothing(for: .milliseconds(300)))
      redis.thaw()
      #expect(try client.readResponse().number == 1)
      #expect(try client.readResponse().body == "Microservice a is ready!")
    }
  }

  // MARK: Requests in pieces

  @Test(
    "A request may arrive in two pieces, split at any byte",
    arguments: [
      "GET /?q HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
      "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: u\r\n\r\n",
    ])
  func pieces(request: String) throws {
    try withCounterAndRedis(["--threads", "1"]) { counter, _ in
      let client = try counter.client()
      let witness = try counter.client()
      for split in 1..<request.utf8.count {
        try client.send(String(request.utf8.prefix(split)) ?? "")
        try waitUntilRead(by: witness)
        try client.send(String(request.utf8.dropFirst(split)) ?? "")
        #expect(try client.readResponse().number == Int64(split), "split at byte \(split)")
      }
    }
  }

  @Test("A request may arrive byte by byte")
  func byteByByte() throws {
    try withCounterAndRedis(["--threads", "1"]) { counter, _ in
      let client = try counter.client()
      let witness = try counter.client()
      for number in 1...3 {
        for character in "\r\nGET / HTTP/1.1\nHost: x\n\n".replacing("\n", with: "\r\n") {
          for byte in character.utf8 {
            try client.socket.send([byte])
            try waitUntilRead(by: witness)
          }
        }
        #expect(try client.readResponse().number == Int64(number))
      }
    }
  }

  /// With one event loop, an answer on another connection shows that it has been around since.
  private func waitUntilRead(by witness: HTTPClient) throws {
    let response = try witness.get("/health")
    #expect(response.status == 200)
  }

  // MARK: Bodies

  @Test(
    "A body is read past, and the next request is understood",
    arguments: [
      "Content-Length: 31\r\n\r\nGET /nope HTTP/1.1\r\nHost: y\r\n\r\n",
      "Content-Length: 0\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n1F\r\nGET /nope HTTP/1.1\r\nHost: y\r\n\r\n\r\n0\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n4;a=b;c=\"d;e\"\r\nWiki\r\n005\r\npedia\r\n000\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nDigest: x\r\nExpires: never\r\n\r\n",
    ])
  func bodies(rest: String) throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      let requests = ["GET /", "POST /", "PUT /nope", "OPTIONS /"].map {
        "\($0) HTTP/1.1\r\nHost: x\r\n\(rest)"
      }
      try client.send(requests.joined() + Self.visit)
      #expect(try client.readResponse().number == 1)
      #expect(try client.readResponse().status == 405)
      #expect(try client.readResponse().status == 404)
      #expect(try client.readResponse().status == 200)
      #expect(try client.readResponse().number == 2)
      #expect(try redis.hits == "2")
    }
  }

  @Test("A visit counts when its whole body is there, not before")
  func countedAfterTheBody() throws {
    try withCounterAndRedis(["--threads", "1"]) { counter, redis in
      let client = try counter.client()
      try client.send("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcd")
      #expect(try counter.visit() == 1)
      #expect(try redis.hits == "1")
      try client.send("e")
      #expect(try client.readResponse().number == 2)
    }
  }

  @Test("A visit whose body never ends does not count")
  func bodyCutShort() throws {
    try withCounterAndRedis(["--threads", "1"]) { counter, redis in
      let client = try counter.client()
      try client.send("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcd")
      client.socket.finishSending()
      #expect(try !client.readToEnd().contains("200 OK"))
      #expect(try counter.visit() == 1)
      #expect(try redis.hits == "1")
    }
  }

  @Test("Expect: 100-continue gets its leave before the body", arguments: ["GET", "POST"])
  func expectContinue(method: String) throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      try client.send(
        "\(method) / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
      let leave = try client.readResponse()
      #expect(leave.statusLine == "HTTP/1.1 100 Continue")
      #expect(leave.fields.isEmpty)
      try client.send("abc" + Self.visit)
      #expect(try client.readResponse().status == (method == "GET" ? 200 : 405))
      #expect(try client.readResponse().number == (method == "GET" ? 2 : 1))
    }
  }

  // MARK: Clients that behave oddly

  @Test("A client that ends its side after the request still gets the answer, then the end")
  func halfClosed() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      try client.send(Self.visit + Self.visit + Self.visit)
      client.socket.finishSending()
      #expect(try (1...3).map { _ in try client.readResponse().number } == [1, 2, 3])
      #expect(try client.readToEnd() == "")
      #expect(try redis.hits == "3")
    }
  }

  @Test("Also when the answer takes a while")
  func halfClosedWhileRedisIsFrozen() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      redis.freeze()
      try client.send(Self.visit)
      client.socket.finishSending()
      #expect(try client.hearsNothing(for: .milliseconds(300)))
      redis.thaw()
      #expect(try client.readResponse().number == 1)
      #expect(try client.readToEnd() == "")
    }
  }

  @Test("A client that sends much and reads late gets everything, and others do not wait for it")
  func slowReader() throws {
    try withCounterAndRedis(["--threads", "1"]) { counter, redis in
      let count = 40_000
      let client = try counter.client(receiveBuffer: 4096, limit: .seconds(20))
      let last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
      let requests = Array((String(repeating: Self.visit, count: count - 1) + last).utf8)
      var sent = 0
      // Until neither side's buffers take any more.
      while sent < requests.count, try client.socket.isWritable(within: .milliseconds(300)) {
        let end = min(sent + 4096, requests.count)
        try client.socket.send(Array(requests[sent..<end]))
        sent = end
      }
      let other = try counter.client()
      #expect(try other.get("/health").status == 200)
      #expect(try other.get("/").number != nil)

      let (rest, socket) = (Array(requests[sent...]), client.socket)
      Thread { try? socket.send(rest) }.start()
      let answers = try client.readToEnd().components(separatedBy: "been seen ").dropFirst()
      let numbers = answers.compactMap { Int64($0.prefix { $0 != " " }) }
      #expect(numbers.count == count)
      #expect(numbers == numbers.sorted())
      #expect(Set(numbers).count == count)
      #expect(try redis.hits == "\(count + 1)")
    }
  }

  @Test("A client that goes away while its visit waits harms nobody else")
  func gone() throws {
    try withCounterAndRedis(["--threads", "1"]) { counter, redis in
      redis.freeze()
      for _ in 0..<20 {
        let leaving = try counter.client()
        try leaving.send(Self.visit + Self.visit)
        #expect(try counter.client().get("/health").status == 200)
        try leaving.socket.resetOnClose()
      }
      let staying = try counter.client()
      try staying.send(Self.visit)
      redis.thaw()
      let number = try #require(try staying.readResponse().number)
      #expect((1...41).contains(number))
      #expect(try staying.visit() == number + 1)
      #expect(try redis.hits == "\(number + 1)")
    }
  }

  @Test("A header that is not complete in time is told 408, also when it drips")
  func headerTime() throws {
    try withCounterAndRedis { counter, redis in
      let silent = try counter.client(limit: .seconds(20))
      let dripping = try counter.client(limit: .seconds(20))
      let began = ContinuousClock.now
      try silent.send("GET / HTTP/1.1\r\nHost:")
      try dripping.send("GET / HTTP/1.1\r\nX: ")
      for _ in 0..<150 where try !dripping.socket.isReadable(within: .milliseconds(100)) {
        try? dripping.send("x")
      }
      for client in [silent, dripping] {
        let response = try client.readResponse()
        #expect(response.status == 408)
        #expect(response["Connection"] == "close")
        #expect(try client.readToEnd() == "")
      }
      #expect(ContinuousClock.now - began > .seconds(1))
      #expect(ContinuousClock.now - began < withSlack(.seconds(16)))
      #expect(try redis.hits == nil)
    }
  }

  // MARK: Many and idle ones

  @Test("Connections that wait cost no processor time")
  func waiting() throws {
    try withCounterAndRedis(["--visit-timeout", "20"]) { counter, redis in
      let idle = try counter.client()
      #expect(try idle.visit() == 1)
      redis.freeze()
      let halfClosed = try counter.client()
      try halfClosed.send(Self.visit)
      halfClosed.socket.finishSending()
      let reset = try counter.client()
      try reset.send(Self.visit)
      try reset.socket.resetOnClose()
      let halfHeader = try counter.client()
      try halfHeader.send("GET / HT")
      let full = try counter.client(receiveBuffer: 4096)
      let health = Array(String(repeating: Self.health, count: 200).utf8)
      while try full.socket.isWritable(within: .milliseconds(200)) { try full.socket.send(health) }

      let before = ProcessTable.processorTime(of: counter.process.id)
      Thread.sleep(forTimeInterval: 1)
      let used = ProcessTable.processorTime(of: counter.process.id) - before
      #expect(used < 20, "hundredths of a second")
      redis.thaw()
      #expect(try halfClosed.readResponse().number != nil)
    }
  }

  @Test("500 connections are served at the same time")
  func manyConnections() throws {
    try withCounterAndRedis { counter, redis in
      let clients = try (0..<500).map { _ in try counter.client() }
      for client in clients { try client.send(Self.visit) }
      let numbers = try clients.compactMap { try $0.readResponse().number }
      #expect(numbers.sorted() == Array(1...500))
      #expect(try redis.hits == "500")
    }
  }

  @Test("With few open files, who is connected is served, and others when someone leaves")
  func fewOpenFiles() throws {
    try withRedis { redis in
      try withTemporaryFolder { folder in
        let counter = try CounterProcess(["--redis", redis.url], folder: folder, openFiles: 100)
        defer { counter.end() }
        try counter.waitUntilReady()
        var clients = try (0..<20).map { _ in try counter.client() }
        for client in clients { _ = try client.visit() }
        let more = try (0..<80).map { _ in try counter.client() }
        for client in clients { #expect(try client.visit() > 20) }
        let before = ProcessTable.processorTime(of: counter.process.id)
        Thread.sleep(forTimeInterval: 0.5)
        let used = ProcessTable.processorTime(of: counter.process.id) - before
        #expect(used < 20, "hundredths of a second")
        let last = try #require(more.last)
        try last.send(Self.visit)
        clients = []
        for client in more.dropLast() { client.socket.end() }
        #expect(try last.readResponse().number == 41)
      }
    }
  }

  // MARK: Addresses

  private static var hasIPv6: Bool {
    (try? FreePort.take()).flatMap { try? Socket.listen(on: .ipv6($0)) } != nil
  }

  @Test("--host :: serves IPv6 and IPv4", .enabled(if: ConnectionTests.hasIPv6))
  func dualStack() throws {
    try withRedis { redis in
      try withCounter(["--redis", redis.url, "--host", "::"]) { counter in
        let overIPv6 = try HTTPClient(port: counter.port, ipv6: true)
        let overIPv4 = try HTTPClient(port: counter.port)
        #expect(try overIPv6.visit() == 1)
        #expect(try overIPv4.visit() == 2)
      }
    }
  }

  @Test("--host ::1 serves IPv6 only", .enabled(if: ConnectionTests.hasIPv6))
  func onlyIPv6() throws {
    try withRedis { redis in
      try withTemporaryFolder { folder in
        let counter = try CounterProcess(
          ["--redis", redis.url, "--host", "::1"], folder: folder)
        defer { counter.end() }
        try counter.waitUntilLogged("listening on")
        #expect(try HTTPClient(port: counter.port, ipv6: true).visit() == 1)
        #expect(throws: SocketError.refused) { try HTTPClient(port: counter.port) }
      }
    }
  }
}
