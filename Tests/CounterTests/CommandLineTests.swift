import Foundation
import Glibc
import Testing

@testable import TestSupport

@Suite("The command line", .serialized)
struct CommandLineTests {
  // MARK: Help

  @Test("--help names every flag and every environment variable")
  func help() throws {
    try withTemporaryFolder { folder in
      let counter = try CounterProcess.run(["--help"], folder: folder)
      #expect(counter.exitCode == 0)
      #expect(counter.errors.isEmpty)
      #expect(counter.output.contains("USAGE: counter "))
      for name in [
        "--host", "--port", "--redis", "--data", "--threads", "--visit-timeout",
        "--drain-timeout", "--help", "--version", "--redis-password-file", "REDIS_PASSWORD",
        "counter health", "counter check", "--metrics-port", "--log-format", "--log-level",
        "--access-log", "--trusted-proxies", "METRICS_PORT", "LOG_FORMAT", "LOG_LEVEL",
        "ACCESS_LOG", "TRUSTED_PROXIES", "PORT", "REDIS_URL", "REDISAPP_SERVICE_HOST",
        "REDISAPP_SERVICE_PORT", "DATA_DIR", "THREADS", "VISIT_TIMEOUT", "DRAIN_TIMEOUT",
        "--max-connections", "--header-timeout", "--body-timeout", "--idle-timeout",
        "--write-timeout", "MAX_CONNECTIONS", "HEADER_TIMEOUT", "BODY_TIMEOUT", "IDLE_TIMEOUT",
        "WRITE_TIMEOUT", "--drain-delay", "DRAIN_DELAY", "--memory-limit", "MEMORY_LIMIT",
        "LISTEN_HOST",
      ] {
        #expect(counter.output.contains(name), "\(name)")
      }
    }
  }

  @Test("--version prints the version, in one line")
  func version() throws {
    try withTemporaryFolder { folder in
      let counter = try CounterProcess.run(["--version"], folder: folder)
      #expect(counter.exitCode == 0)
      #expect(counter.errors.isEmpty)
      #expect(counter.output.split(separator: "\n").count == 1)
      #expect(counter.output.contains(/\d+\.\d+/))
    }
  }

  /// Whether this user may make a mount namespace (unshare(1)).
  private static var canUnmount: Bool {
    (try? run(["true"], withoutProc: false).waitForExit()) == 0
  }

  /// Runs a command in a mount namespace of its own, where /proc is empty or not.
  private static func run(_ command: [String], withoutProc: Bool = true) throws -> ChildProcess {
    let folder = NSTemporaryDirectory()
    let mount = withoutProc ? "mount -t tmpfs none /proc && " : ""
    return try ChildProcess(
      "/usr/bin/unshare",
      ["--map-root-user", "--mount", "sh", "-c", mount + "exec \"$@\"", "sh"] + command,
      environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], folder: folder)
  }

  @Test("The arguments are seen where /proc is not mounted", .enabled(if: canUnmount))
  func withoutProc() throws {
    let version = try Self.run([try CounterProcess.executable(), "--version"])
    defer { version.end() }
    #expect(try version.waitForExit() == 0)
    #expect(version.output.hasPrefix("counter "))
    let refused = try Self.run([try CounterProcess.executable(), "--visit-timeout", "nonsense"])
    defer { refused.end() }
    #expect(try refused.waitForExit() == 64)
    #expect(refused.errors.contains("--visit-timeout"))
  }

  // MARK: Bad settings

  @Test(
    "A bad flag is named in one line, exit code 64",
    arguments: [
      ("--port", "70000"), ("--port", "abc"), ("--port", "-1"), ("--port", "65536"),
      ("--port", ""), ("--port", "80x"), ("--threads", "0"), ("--threads", "x"),
      ("--threads", "-2"), ("--threads", "1.5"), ("--visit-timeout", "-1"),
      ("--visit-timeout", "0"), ("--visit-timeout", "soon"), ("--visit-timeout", "nan"),
      ("--visit-timeout", "inf"), ("--drain-timeout", "-1"), ("--drain-timeout", "x"),
      ("--redis", "http://x"), ("--redis", "redis://"), ("--redis", "redis://x:abc"),
      ("--redis", "redis://x:70000"), ("--redis", "redis://x/one"), ("--redis", "unix:"),
      ("--redis", ""), ("--host", "not-an-address"), ("--host", "256.1.1.1"), ("--host", "::x"),
      ("--frobnicate", "1"), ("--max-connections", "0"), ("--max-connections", "many"),
      ("--header-timeout", "0"), ("--body-timeout", "x"), ("--idle-timeout", "-1"),
      ("--write-timeout", "3601"), ("--metrics-port", "x"), ("--metrics-port", "65536"),
      ("--metrics-port", "8000"), ("--log-format", "xml"), ("--log-format", ""),
      ("--log-level", "loud"), ("--trusted-proxies", "localhost"), ("--trusted-proxies", ""),
      ("--trusted-proxies", "10.0.0.0/33"), ("--trusted-proxies", "10.0.0.1,,::1"),
      ("--trusted-proxies", "::/x"),
      ("--trusted-proxies", "10.0.0.0/8 192.168.0.0/16"), ("--memory-limit", "64Mi"),
      ("--memory-limit", "0"), ("--trusted-proxies", "10.0.0/8"),
    ])
  func badFlag(flag: String, value: String) throws {
    try withTemporaryFolder { folder in
      let counter = try CounterProcess.run([flag, value], folder: folder)
      expectRefusal(by: counter, code: 64, naming: flag)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
    }
  }

  @Test(
    "A bad environment variable is named in one line, exit code 64",
    arguments: [
      ("PORT", "abc"), ("PORT", "70000"), ("PORT", "tcp://10.0.0.1:8000"), ("THREADS", "abc"),
      ("THREADS", "0"), ("VISIT_TIMEOUT", "x"), ("VISIT_TIMEOUT", "-1"), ("DRAIN_TIMEOUT", "x"),
      ("REDIS_URL", "http://x"), ("REDIS_URL", "redis://x:y:z"),
      ("METRICS_PORT", "tcp://10.0.0.1:9000"), ("LOG_FORMAT", "JSON"), ("LOG_LEVEL", "WARN"),
      ("ACCESS_LOG", "please"), ("TRUSTED_PROXIES", "10.0.0.1/8/8"),
    ])
  func badVariable(name: String, value: String) throws {
    try withTemporaryFolder { folder in
      let counter = try CounterProcess.run([], environment: [name: value], folder: folder)
      expectRefusal(by: counter, code: 64, naming: name)
    }
  }

  @Test("A bad REDISAPP_SERVICE_PORT is named in one line", arguments: ["abc", "0", "65536"])
  func badServicePort(value: String) throws {
    try withTemporaryFolder { folder in
      let counter = try CounterProcess.run(
        [], environment: ["REDISAPP_SERVICE_HOST": "127.0.0.1", "REDISAPP_SERVICE_PORT": value],
        folder: folder)
      expectRefusal(by: counter, code: 64, naming: "REDISAPP_SERVICE_PORT")
    }
  }

  @Test(
    "Bad usage is one line that names it",
    arguments: [["stray"], ["--port"], ["--port", "8001", "stray"], ["-x"], ["--visit-timeout"]])
  func badUsage(arguments: [String]) throws {
    try withTemporaryFolder { folder in
      let counter = try CounterProcess.run(arguments, folder: folder)
      expectRefusal(by: counter, code: 64, naming: arguments.last ?? "")
    }
  }

  @Test("A password in a bad address is not printed", arguments: ["flag", "environment"])
  func badAddressWithPassword(source: String) throws {
    try withTemporaryFolder { folder in
      for url in ["http://u:pass-2f7d@x", "redis://u:pass-2f7d@x:abc", "rediss://:pass-2f7d@x:abc"]
      {
        let isFlag = source == "flag"
        let counter = try CounterProcess.run(
          isFlag ? ["--redis", url] : [], environment: isFlag ? [:] : ["REDIS_URL": url],
          folder: folder)
        expectRefusal(by: counter, code: 64, naming: isFlag ? "--redis" : "REDIS_URL")
        #expect(!counter.errors.contains("pass-2f7d"))
      }
    }
  }

  // MARK: Good settings

  @Test("A memory limit sets the most connections, and more of them are a warning in the log")
  func memoryLimit() throws {
    try withRedis { redis in
      let flags = ["--redis", redis.url, "--threads", "2", "--memory-limit", "64"]
      try withCounter(flags) { counter in
        try waitUntil("it says so") { counter.log.contains("for at most 203 connections") }
        #expect(!counter.log.contains("warning"))
      }
      try withCounter(flags + ["--max-connections", "400"]) { counter in
        try waitUntil("it warns") { counter.log.contains("memory limit of 64 MiB; 203 fit") }
        #expect(counter.log.contains("for at most 400 connections"))
      }
    }
  }

  @Test("PORT is listened on, and --port beats it")
  func port() throws {
    try withRedis { redis in
      try withTemporaryFolder { folder in
        let (named, flagged) = (try FreePort.take(), try FreePort.take())
        let environment = ["PORT": "\(named)", "REDIS_URL": redis.url]
        for (flags, expected) in [([], named), (["--port", "\(flagged)"], flagged)] {
          let process = try CounterProcess.start(
            ["--host", "127.0.0.1"] + flags, environment: environment, folder: folder)
          defer { process.end() }
          try waitUntil("port \(expected) is served") {
            (try? HTTPClient(port: expected).get("/health").status) == 200
          }
          let other = expected == named ? flagged : named
          #expect(throws: SocketError.refused) { try HTTPClient(port: other) }
        }
      }
    }
  }

  @Test("--port 0 takes a free port and logs it, the same one for every event loop")
  func anyPort() throws {
    try withRedis { redis in
      try withTemporaryFolder { folder in
        let process = try CounterProcess.start(
          ["--host", "127.0.0.1", "--port", "0", "--threads", "4", "--redis", redis.url],
          environment: [:], folder: folder)
        defer { process.end() }
        try waitUntil("the address is logged") {
          process.errors.contains(/listening on 127\.0\.0\.1:[0-9]+/)
        }
        let match = process.errors.firstMatch(of: /listening on 127\.0\.0\.1:([0-9]+)/)
        let port = try #require(match.flatMap { UInt16($0.1) })
        for number in 1...20 {
          let visit = try HTTPClient(port: port).visit()
          #expect(visit == Int64(number))
        }
      }
    }
  }

  @Test("Redis is found by flag, then REDIS_URL, then the service's variables")
  func redisAddress() throws {
    try withRedis { redis in
      let service = [
        "REDISAPP_SERVICE_HOST": "127.0.0.1", "REDISAPP_SERVICE_PORT": "\(redis.port)",
      ]
      let elsewhere = "redis://127.0.0.1:\(try FreePort.take())"
      let settings: [(flags: [String], environment: [String: String])] = [
        ([], service),
        ([], ["REDIS_URL": redis.url, "REDISAPP_SERVICE_HOST": "192.0.2.1"]),
        (["--redis", redis.url], ["REDIS_URL": elsewhere]),
      ]
      for (number, setting) in settings.enumerated() {
        try withCounter(setting.flags, environment: setting.environment) { counter in
          let visit = try counter.visit()
          #expect(visit == Int64(number + 1))
        }
      }
      #expect(try redis.hits == "3")
    }
  }

  @Test("VISIT_TIMEOUT and THREADS are used, and their flags beat them")
  func otherVariables() throws {
    try withRedis(started: false) { redis in
      let environment = ["VISIT_TIMEOUT": "0.5", "THREADS": "1", "REDIS_URL": redis.url]
      for (flags, limit) in [([], 0.5), (["--visit-timeout", "1.5", "--threads", "2"], 1.5)] {
        try withCounter(flags, environment: environment) { counter in
          let began = ContinuousClock.now
          try expectUnavailable(counter.client().get("/"))
          let time = (ContinuousClock.now - began) / .seconds(1)
          #expect(time > limit - 0.1 && time < limit + 0.8)
        }
      }
    }
  }

  @Test("DRAIN_TIMEOUT is used, and its flag beats it")
  func drainTimeout() throws {
    try withRedis(started: false) { redis in
      let environment = ["DRAIN_TIMEOUT": "0.3", "REDIS_URL": redis.url]
      for (flags, code) in [([], 75), (["--drain-timeout", "8"], 0)] as [([String], Int32)] {
        let flags = flags + ["--visit-timeout", "2"]
        try withCounter(flags, environment: environment) { counter in
          let client = try counter.client()
          try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
          #expect(try client.hearsNothing(for: .milliseconds(100)))
          counter.send(signal: SIGTERM)
          #expect(try counter.waitForExit() == code)
        }
      }
    }
  }

  @Test("The variables that Kubernetes sets for a Service named counter do no harm")
  func kubernetes() throws {
    try withRedis { redis in
      let environment = [
        "COUNTER_PORT": "tcp://10.96.0.7:8000", "COUNTER_SERVICE_HOST": "10.96.0.7",
        "COUNTER_SERVICE_PORT": "8000", "COUNTER_PORT_8000_TCP": "tcp://10.96.0.7:8000",
        "REDISAPP_PORT": "tcp://10.96.0.8:6379", "REDISAPP_SERVICE_HOST": "127.0.0.1",
        "REDISAPP_SERVICE_PORT": "\(redis.port)",
      ]
      try withCounter([], environment: environment) { counter in
        let visit = try counter.visit()
        #expect(visit == 1)
      }
    }
  }

  @Test("The log names the listening address and the Redis, without the password")
  func log() throws {
    try withRedis(password: "pass-2f7d") { redis in
      let url = "redis://:pass-2f7d@127.0.0.1:\(redis.port)"
      try withCounter([], environment: ["REDIS_URL": url]) { counter in
        try counter.waitUntilLogged("listening on")
        let line = counter.log.split(separator: "\n").first { $0.contains("listening on") }
        #expect(line?.contains("\(counter.port)") == true)
        #expect(counter.log.contains("127.0.0.1:\(redis.port)"))
        for _ in 0..<10 { _ = try counter.visit() }
        counter.send(signal: SIGTERM)
        #expect(try counter.waitForExit() == 0)
        #expect(!counter.log.contains("pass-2f7d"))
        #expect(counter.log.split(separator: "\n").count < 12, "no line a visit")
        #expect(counter.process.output.isEmpty)
      }
    }
  }

  // MARK: A port in use

  @Test("A port that another program listens on is named, exit code 69")
  func portInUse() throws {
    try withRedis { redis in
      try withTemporaryFolder { folder in
        let port = try FreePort.take()
        let other = try Socket.listen(on: .ipv4(port))
        let counter = try CounterProcess.run(
          ["--host", "127.0.0.1", "--port", "\(port)", "--redis", redis.url], folder: folder)
        expectRefusal(by: counter, code: 69, naming: "\(port)")
        other.end()
      }
    }
  }

  @Test("A port that another counter listens on is not shared with it")
  func portInUseByCounter() throws {
    try withCounterAndRedis { first, redis in
      try withTemporaryFolder { folder in
        let second = try CounterProcess.run(
          ["--host", "127.0.0.1", "--port", "\(first.port)", "--redis", redis.url],
          folder: folder)
        expectRefusal(by: second, code: 69, naming: "\(first.port)")
        #expect(try first.visit() == 1)
      }
    }
  }

  @Test("With the port in use no private redis-server is left behind")
  func portInUseWithoutRedis() throws {
    try withDataFolder { data in
      let port = try FreePort.take()
      let other = try Socket.listen(on: .ipv4(port))
      let counter = try CounterProcess.run(
        ["--host", "127.0.0.1", "--port", "\(port)", "--data", data.path],
        folder: data.workingFolder)
      expectRefusal(by: counter, code: 69, naming: "\(port)")
      #expect(throws: (any Error).self) { try data.redis.command("PING") }
      other.end()
    }
  }
}
