import Testing

@testable import TestSupport

private let well = answer("Microservice a is ready!")

/// Runs the program to its end, and lends the process.
private func withRun(
  _ arguments: [String], environment: [String: String] = [:],
  _ body: (ChildProcess) throws -> Void
) throws {
  try withTemporaryFolder { folder in
    try body(CounterProcess.run(arguments, environment: environment, folder: folder))
  }
}

/// Runs `counter check` against a server with these answers.
private func withCheck(
  of answers: [String?], _ flags: [String] = [], _ body: (ChildProcess) throws -> Void
) throws {
  let server = try ScriptedServer(answers)
  try withRun(["check", "http://localhost:\(server.port)"] + flags, body)
}

@Suite("counter health", .serialized)
struct HealthCommandTests {
  @Test("is silent and ends with 0 when the counter serves, by flag and by PORT")
  func well() throws {
    try withCounterAndRedis { counter, redis in
      redis.crash()
      for (flags, environment) in [
        (["--port", "\(counter.port)"], [:]), ([], ["PORT": "\(counter.port)"]),
        (["--port", "\(counter.port)"], ["PORT": "1"]),
      ] as [([String], [String: String])] {
        try withRun(["health"] + flags, environment: environment) { health in
          #expect(health.exitCode == 0, "\(health.errors)")
          #expect(health.output.isEmpty && health.errors.isEmpty)
        }
      }
    }
  }

  @Test("finds a counter that listens on ::1 only")
  func ipv6() throws {
    try withTemporaryFolder { folder in
      let counter = try CounterProcess(
        ["--host", "::1", "--redis", "redis://127.0.0.1:1"], folder: folder)
      defer { counter.end() }
      try counter.waitUntilLogged("listening on")
      try withRun(["health", "--port", "\(counter.port)"]) { #expect($0.exitCode == 0) }
    }
  }

  @Test("asks the address that the counter listens on, by flag and by LISTEN_HOST")
  func host() throws {
    try withTemporaryFolder { folder in
      let counter = try CounterProcess(
        ["--host", "127.0.0.9", "--redis", "redis://127.0.0.1:1"], folder: folder)
      defer { counter.end() }
      try counter.waitUntilLogged("listening on")
      let port = "\(counter.port)"
      try withRun(["health", "--host", "127.0.0.9", "--port", port]) { health in
        #expect(health.exitCode == 0, "\(health.errors)")
      }
      try withRun(["health", "--port", port], environment: ["LISTEN_HOST": "127.0.0.9"]) { health in
        #expect(health.exitCode == 0, "\(health.errors)")
      }
      try withRun(["health", "--port", port]) { expectRefusal(by: $0, code: 1, naming: port) }
      try withRun(["health", "--host", "here"]) {
        expectRefusal(by: $0, code: 64, naming: "--host")
      }
    }
  }

  @Test("ends with 1 and one line when nothing listens")
  func nothingListens() throws {
    let port = try FreePort.take()
    try withRun(["health", "--port", "\(port)"]) {
      expectRefusal(by: $0, code: 1, naming: "\(port)")
    }
  }

  @Test("ends with 1 within 2 seconds when no answer comes")
  func silence() throws {
    let server = try ScriptedServer([nil])
    let began = ContinuousClock.now
    try withRun(["health", "--port", "\(server.port)"]) {
      expectRefusal(by: $0, code: 1, naming: "no answer in time")
    }
    let time = ContinuousClock.now - began
    #expect(time > .seconds(1.9) && time < withSlack(.seconds(5)))
  }

  @Test(
    "ends with 1 and one line when the answer is not a counter's",
    arguments: [
      (answer("ill", status: "503 Service Unavailable"), "503"), (answer("fine\nthanks"), "fine"),
      ("", "closed"), ("HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\nMicro", "closed"),
      ("SSH-2.0-x\r\n\r\n", "none of a counter's"), (" \r\n\r\n", "none of a counter's"),
      ("\r\n\r\n", "none of a counter's"),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "none of a counter's"),
      ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "none of a counter's"),
      (answer(String(repeating: "a", count: 1_100_000)), "longer"),
    ])
  func unwell(answer: String, reason: String) throws {
    let server = try ScriptedServer([answer])
    try withRun(["health", "--port", "\(server.port)"]) {
      expectRefusal(by: $0, code: 1, naming: reason)
    }
  }

  @Test("refuses a port that cannot be asked", arguments: ["0", "x", "70000", ""])
  func badPort(port: String) throws {
    try withRun(["health", "--port", port]) { expectRefusal(by: $0, code: 64, naming: "--port") }
    try withRun(["health", "here"]) { expectRefusal(by: $0, code: 64, naming: "here") }
  }
}

@Suite("counter check", .serialized)
struct CheckCommandTests {
  @Test("visits a counter twice and says that the number grew by one")
  func alone() throws {
    try withCounterAndRedis { counter, redis in
      for host in ["127.0.0.1", "localhost"] {
        try withRun(["check", "http://\(host):\(counter.port)/"]) { check in
          #expect(check.exitCode == 0, "\(check.errors)")
          #expect(check.output.contains("exactly one more"))
          #expect(check.errors.isEmpty)
        }
      }
      #expect(try redis.hits == "4")
    }
  }

  @Test("prints by how much the number grew when others visit")
  func amongOthers() throws {
    try withCheck(of: [well, visit(41), visit(45)]) { check in
      #expect(check.exitCode == 0, "\(check.errors)")
      #expect(check.output.contains("41") && check.output.contains("45"))
      #expect(check.output.contains("4 more, for others visited in between"))
    }
  }

  @Test("ends with 1 when the number does not grow", arguments: [41, 40])
  func notGrown(second: Int) throws {
    try withCheck(of: [well, visit(41), visit(second)]) { check in
      #expect(check.exitCode == 1)
      #expect(check.errors.contains("gave number 41 to a visit and \(second) to the next one"))
    }
  }

  @Test("ends with 1 when visits are not counted")
  func notCounted() throws {
    for body in ["Hello World! I have been seen  times.\n", "Hello World!", ""] {
      try withCheck(of: [well, answer(body)]) { check in
        #expect(check.exitCode == 1)
        #expect(check.errors.contains("without a visit's number"))
      }
    }
    try withCheck(of: [well, answer("later\n", status: "503 Service Unavailable")]) { check in
      #expect(check.exitCode == 1)
      #expect(check.errors.contains("/ answers 503: 'later '"))
    }
    try withCheck(of: [answer("Hello")]) { check in
      expectRefusal(by: check, code: 1, naming: "/health answers something else")
    }
  }

  @Test("visits a counter with a name twice as well, and makes it")
  func counter() throws {
    try withCounterAndRedis { counter, redis in
      let url = "http://127.0.0.1:\(counter.port)"
      for numbers in ["1, then 2", "3, then 4"] {
        try withRun(["check", url, "--counter", "smoke-test/deployment"]) { check in
          #expect(check.exitCode == 0, "\(check.errors)")
          let line = "/hit/smoke-test/deployment counted visit \(numbers): exactly one more"
          #expect(check.output.contains(line), "\(check.output)")
        }
      }
      try withRun(["check", url, "--counter", "a.b/c d/ü%"]) { check in
        #expect(check.output.contains("/hit/a.b/c%20d%2F%C3%BC%25 counted visit 1, then 2"))
      }
      #expect(try redis.hits == "6")
    }
  }

  @Test("tells of a counter that may not be there, and ends with 0", arguments: [403, 404])
  func refusedCounter(status: Int) throws {
    let problem = #"{"status":\#(status),"detail":"For a reason."}"#
    for (body, reason) in [(problem, "For a reason."), ("<html>No\nhere", "<html>No here")] {
      let refusal = answer(body, status: "\(status) Refused")
      for answers in [[refusal], [answer(#"{"value":7}"#), refusal]] {
        try withCheck(of: [well, visit(41), visit(42)] + answers, ["--counter", "a/b"]) { check in
          #expect(check.exitCode == 0, "\(check.errors)")
          let line = "/hit/a/b was not checked, since the server answers \(status): \(reason)"
          #expect(check.output.contains(line), "\(check.output)")
        }
      }
    }
  }

  @Test("ends with 1 when a counter with a name is not counted, or does not grow")
  func unwellCounter() throws {
    for (answers, reason) in [
      ([answer("later", status: "503 Service Unavailable")], "/hit/a/b answers 503: 'later'"),
      ([answer("Welcome")], "/hit/a/b answers without a number: 'Welcome'"),
      ([answer(#"{"value":x}"#)], "/hit/a/b answers without a number"),
      (
        [answer(#"{"value":7}"#), answer(#"{"value":7}"#)],
        "/hit/a/b gave number 7 to a visit and 7 to the next one"
      ),
    ] {
      try withCheck(of: [well, visit(41), visit(42)] + answers, ["--counter", "a/b"]) { check in
        #expect(check.exitCode == 1)
        #expect(check.errors.contains(reason), "\(check.errors)")
      }
    }
  }

  @Test("waits for no longer than --timeout in all")
  func timeout() throws {
    let began = ContinuousClock.now
    try withCheck(of: [well, visit(1), nil], ["--timeout", "0.5"]) { check in
      #expect(check.exitCode == 1)
      #expect(check.errors.contains("no answer in time"))
    }
    #expect(ContinuousClock.now - began < withSlack(.seconds(4)))
  }

  @Test("names a host that does not exist, and a host on which nothing listens")
  func nothingListens() throws {
    try withRun(["check", "http://host.invalid"]) {
      expectRefusal(by: $0, code: 1, naming: "host.invalid/health: unknown host")
    }
    let port = try FreePort.take()
    try withRun(["check", "http://127.0.0.1:\(port)"]) {
      expectRefusal(by: $0, code: 1, naming: "127.0.0.1:\(port)/health: Connection refused")
    }
  }

  @Test(
    "refuses bad usage in one line",
    arguments: [
      [], ["127.0.0.1"], ["https://h"], ["http://h/path"], ["http://h", "--timeout", "0"],
      ["http://h", "--timeout", "soon"], ["http://h", "http://h"], ["http://h", "--counter", ""],
      ["http://h", "--counter", "a"], ["http://h", "--counter", "a b/c"],
      ["http://h", "--counter", "a/"], ["http://h", "--counter", "a/../b"],
    ])
  func badUsage(arguments: [String]) throws {
    try withRun(["check"] + arguments) { expectRefusal(by: $0, code: 64, naming: "counter: ") }
  }
}
