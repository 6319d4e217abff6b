import Foundation
import Testing

@testable import TestSupport

@Suite("A token", .serialized)
struct TokenTests {
  private static let unknown = "The token is not known."
  private static let missing = "This request needs a token: Authorization: Bearer TOKEN."

  /// Requests that need a token for the namespace `blog`.
  private static let lines = [
    "PUT /counters/blog/home?value=5", "PUT /counters/blog?key=home&value=5",
    "DELETE /counters/blog/home", "DELETE /counters/blog?key=home", "GET /counters/blog",
    "GET /counters/blog?cursor=0", "POST /hit/blog/home?by=5", "POST /hit/blog?key=home&by=5",
  ]

  @Test("is needed where counters are set, removed, listed, or added to")
  func needed() throws {
    try withTokens { counter, redis in
      let client = try counter.client()
      #expect(try client.ask("GET /hit/blog/home").value == 1)
      let before = try redis.contents()
      let token = TestToken.blog
      let wrong: [(fields: [String], status: Int, detail: String)] = [
        ([], 401, Self.missing),
        (["Authorization:"], 401, Self.unknown),
        (["Authorization: Bearer"], 401, Self.unknown),
        (["Authorization: Bearer\(token)"], 401, Self.unknown),
        (["Authorization: \(token)"], 401, Self.unknown),
        (["Authorization: Basic \(token)"], 401, Self.unknown),
        (["Authorization: Token \(token)"], 401, Self.unknown),
        (["Authorization: Bearer \(token.dropLast())"], 401, Self.unknown),
        (["Authorization: Bearer \(token)x"], 401, Self.unknown),
        (["Authorization: Bearer \(token)\(token)"], 401, Self.unknown),
        (["Authorization: Bearer \(token), Bearer \(token)"], 401, Self.unknown),
        (["Authorization: Bearer \(token.uppercased())"], 401, Self.unknown),
        (["Authorization: Bearer x"], 401, Self.unknown),
        (["Authorization: Bearer \(String(repeating: "x", count: 8_000))"], 401, Self.unknown),
        ([TestToken.field(token), TestToken.field(token)], 401, Self.unknown),
        ([TestToken.field(TestToken.all), "Authorization: Bearer x"], 401, Self.unknown),
        ([TestToken.field(TestToken.shop)], 403, "The token belongs to another namespace."),
      ]
      for line in Self.lines {
        for (fields, status, detail) in wrong {
          let response = try client.ask(line, fields)
          expectProblem(response, status, detail, "\(line) \(fields)")
          let challenge =
            status == 401 ? fields.isEmpty ? "Bearer" : #"Bearer error="invalid_token""# : nil
          #expect(response["WWW-Authenticate"] == challenge, "\(line) \(fields)")
        }
      }
      #expect(try redis.contents() == before)
    }
  }

  @Test("is told apart from other fields that come twice")
  func ambiguity() throws {
    try withTokens { counter, redis in
      let client = try counter.client()
      let token = TestToken.field(TestToken.blog)
      let (twice, once) = (["If-None-Match: *", "If-None-Match: *"], ["Idempotency-Key: a"])
      expectProblem(
        try client.ask("PUT /counters/blog/home?value=5", [token] + twice), 400,
        "The only condition for a change is If-None-Match: * with PUT.")
      expectProblem(
        try client.ask("POST /hit/blog/home", [token, token] + once), 401, Self.unknown)
      let others = ["X-Other: 1", "X-Other: 2"]
      #expect(try client.ask("POST /hit/blog/home?by=2", [token] + others).value == 2)
    }
  }

  @Test("is not needed to count, to read, or to read one counter with its name")
  func open() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      for fields in [
        [], ["Authorization: Bearer wrong"], ["Authorization: Basic x", "Authorization: y"],
      ] {
        #expect(try client.ask("GET /hit/blog/home", fields).value != nil)
        #expect(try client.ask("POST /hit/blog/home", fields).value != nil)
        #expect(try client.ask("GET /get/blog/home", fields).value != nil)
        #expect(try client.ask("GET /counters/blog/home", fields).status == 200)
        #expect(try client.ask("GET /counters/blog?key=home", fields).status == 200)
      }
    }
  }

  @Test("of a namespace, or of all, lets a request through; the scheme is in any case")
  func granted() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      for field in [
        TestToken.field(TestToken.blog), TestToken.field(TestToken.all),
        "authorization: bearer \(TestToken.blog)", "AUTHORIZATION: BEARER   \(TestToken.blog)  ",
      ] {
        #expect(try client.ask("PUT /counters/blog/home?value=5", [field]).value == 5)
        #expect(try client.ask("POST /hit/blog/home?by=-7", [field]).value == -2)
        #expect(try client.ask("GET /counters/blog", [field]).status == 200)
        #expect(try client.ask("DELETE /counters/blog/home", [field]).value == -2)
      }
    }
  }

  @Test("cannot be given where the server has none, and the answer says who can change that")
  func none() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      #expect(try client.ask("GET /hit/blog/home").value == 1)
      for line in Self.lines {
        for fields in [[], [TestToken.field(TestToken.all)]] {
          expectProblem(
            try client.ask(line, fields), 403,
            "This server has no tokens. Its operator sets them with --tokens FILE or ADMIN_TOKEN.",
            line)
        }
      }
      #expect(try client.ask("GET /get/blog/home").value == 1)
    }
  }

  @Test("is taken from ADMIN_TOKEN for all namespaces")
  func environment() throws {
    try withRedis { redis in
      try withCounter(["--redis", redis.url], environment: ["ADMIN_TOKEN": TestToken.all]) {
        counter in
        try waitUntil("Redis answers") { try counter.client().get("/ready").status == 200 }
        #expect(try counter.client().manage("PUT /counters/any/thing?value=9").value == 9)
        #expect(!counter.log.contains(TestToken.all))
      }
    }
  }

  @Test("is changed by its file within ten seconds; a broken file keeps the old ones, and says so")
  func change() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/tokens"
      func write(_ text: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
      }
      try write("blog \(TestToken.blog)\n")
      try withCounterAndRedis(["--tokens", path, "--threads", "1"]) { counter, _ in
        try waitUntil("Redis answers") { try counter.client().get("/ready").status == 200 }
        func status(_ token: String) throws -> Int {
          try counter.client().ask("GET /counters/blog", [TestToken.field(token)]).status
        }
        #expect(try status(TestToken.blog) == 200)
        #expect(try status(TestToken.all) == 401)

        try write("# changed\r\n\r\n*\t\(TestToken.all)\r\n")
        try waitUntil("the new token is in force", within: .seconds(10)) {
          try status(TestToken.all) == 200
        }
        #expect(try status(TestToken.blog) == 401)
        try counter.waitUntilLogged("was read again")

        try write("* \(TestToken.shop) \(TestToken.blog)\n")
        try counter.waitUntilLogged("the old tokens stay in force")
        #expect(counter.log.contains("line 1"))
        #expect(try status(TestToken.all) == 200)
        #expect(try status(TestToken.shop) == 401)

        let reads = counter.linesLogged(with: "was read again")
        try write("* \(TestToken.shop)\n")
        try waitUntil("the repaired file is in force", within: .seconds(10)) {
          try status(TestToken.shop) == 200
        }
        #expect(try status(TestToken.all) == 401)
        #expect(counter.linesLogged(with: "was read again") == reads + 1)

        try FileManager.default.removeItem(atPath: path)
        try waitUntil("the missing file is logged", within: .seconds(10)) {
          counter.linesLogged(with: "the old tokens stay in force") == 2
        }
        #expect(try status(TestToken.shop) == 200)
        for token in [TestToken.all, TestToken.blog, TestToken.shop] {
          #expect(!counter.log.contains(token))
        }
      }
    }
  }

  private func status(of counter: CounterProcess) throws -> Int {
    try counter.client().ask("GET /counters/blog", [TestToken.field(TestToken.blog)]).status
  }

  @Test("stays in force while its file is empty, or a pipe")
  func pipe() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/tokens"
      try "blog \(TestToken.blog)\n".write(toFile: path, atomically: true, encoding: .utf8)
      try withCounterAndRedis(["--tokens", path, "--threads", "1"]) { counter, _ in
        try "".write(toFile: path, atomically: false, encoding: .utf8)
        try counter.waitUntilLogged("tokens is empty; the old tokens stay in force")
        #expect(try status(of: counter) == 200)
        try FileManager.default.removeItem(atPath: path)
        #expect(unsafe mkfifo(path, 0o600) == 0)
        try counter.waitUntilLogged("tokens is no ordinary file; the old tokens stay in force")
        #expect(try status(of: counter) == 200)
        counter.send(signal: SIGTERM)
        #expect(try counter.waitForExit() == 0)
      }
    }
  }

  @Test("is read from a pipe once, at the start")
  func pipeAtStart() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/tokens"
      #expect(unsafe mkfifo(path, 0o600) == 0)
      let writer = Thread {
        try? "blog \(TestToken.blog)\n".write(toFile: path, atomically: false, encoding: .utf8)
      }
      writer.start()
      try withCounterAndRedis(["--tokens", path, "--threads", "1"]) { counter, _ throws in
        #expect(try status(of: counter) == 200)
        // The file would have been read again by then.
        Thread.sleep(forTimeInterval: 6)
        #expect(try status(of: counter) == 200)
        #expect(!counter.log.contains("--tokens"))
        counter.send(signal: SIGTERM)
        #expect(try counter.waitForExit() == 0)
      }
    }
  }

  @Test("is never in the log, in the access log, or in the metrics")
  func secrecy() throws {
    let port = try FreePort.take()
    let flags = ["--access-log", "--log-level", "trace", "--metrics-port", "\(port)"]
    try withTokens(flags) { counter, redis in
      let client = try counter.client()
      let tokens = [TestToken.all, TestToken.blog, TestToken.shop, "wrong-5b0d9c77e1"]
      for token in tokens {
        for line in Self.lines {
          let response = try client.ask(
            line, [TestToken.field(token), "Idempotency-Key: k-\(token)"])
          #expect(!response.fields.contains { $0.value.contains(token) })
          #expect(!response.body.contains(token))
        }
      }
      let metrics = try HTTPClient(port: port).get("/metrics").body
      try waitUntil("the access log is written") {
        counter.process.output.components(separatedBy: "\n").count > tokens.count * Self.lines.count
      }
      for token in tokens {
        #expect(!counter.log.contains(token))
        #expect(!counter.process.output.contains(token))
        #expect(!metrics.contains(token))
      }
    }
  }

  @Test(
    "file that cannot be used keeps the program from starting, with one line that holds no token")
  func badFile() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/tokens"
      let secret = TestToken.all
      for (text, reason) in [
        ("blog", "line 1"), ("# x\nblog \(secret) \(secret)\n", "line 2"),
        ("bl/og \(secret)", "line 1"),
        (".. \(secret)", "line 1"), ("blog \(secret)!", "line 1"), ("blog =", "line 1"),
        ("blog \(secret)\(String(repeating: "x", count: 255))", "line 1"),
        (String(repeating: "blog \(secret)\n", count: 1025), "1024"),
        (String(repeating: "#", count: 600_000), "512 KiB"),
      ] {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let counter = try CounterProcess.run(
          ["--redis", "redis://127.0.0.1:1", "--tokens", path], folder: folder)
        expectRefusal(by: counter, code: 64, naming: "--tokens")
        #expect(counter.errors.contains(reason), "\(counter.errors)")
        #expect(!counter.errors.contains(secret))
      }
    }
  }
}
