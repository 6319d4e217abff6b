import Foundation
import Testing

@testable import TestSupport

private let password = "pass-2f7d"

@Suite("The password for Redis", .serialized)
struct PasswordTests {
  /// The counter counts, and the password is neither logged nor shown.
  private func expectCounting(
    in redis: RedisProcess, _ flags: [String], _ environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try withCounter(flags, environment: environment) { counter in
      let before = try redis.hits.flatMap(Int64.init) ?? 0
      try waitUntil("Redis lets the counter in") {
        try counter.client().get("/ready").status == 200
      }
      let number = try counter.visit()
      #expect(number == before + 1, sourceLocation: sourceLocation)
      let arguments = try String(
        contentsOfFile: "/proc/\(counter.process.id)/cmdline", encoding: .utf8)
      #expect(arguments.contains("--port\0\(counter.port)\0"), sourceLocation: sourceLocation)
      counter.send(signal: SIGTERM)
      #expect(try counter.waitForExit() == 0, sourceLocation: sourceLocation)
      for text in [arguments, counter.log, counter.process.output] {
        #expect(!text.contains(password), sourceLocation: sourceLocation)
      }
    }
  }

  @Test("is taken from REDIS_PASSWORD, wherever Redis is named without one")
  func environment() throws {
    try withRedis(password: password) { redis in
      let secret = ["REDIS_PASSWORD": password]
      try expectCounting(in: redis, ["--redis", redis.url], secret)
      try expectCounting(
        in: redis, ["--redis", "redis://default:@127.0.0.1:\(redis.port)"], secret)
      try expectCounting(in: redis, [], secret.merging(["REDIS_URL": redis.url]) { $1 })
      let service = [
        "REDISAPP_SERVICE_HOST": "127.0.0.1", "REDISAPP_SERVICE_PORT": "\(redis.port)",
      ]
      try expectCounting(in: redis, [], secret.merging(service) { $1 })
    }
  }

  @Test("is taken from a file, with a newline at its end or not", arguments: ["", "\n", "\r\n"])
  func file(end: String) throws {
    try withRedis(password: password) { redis in
      try withTemporaryFolder { folder in
        let path = "\(folder)/my password"
        try (password + end).write(toFile: path, atomically: false, encoding: .utf8)
        let flags = ["--redis", redis.url, "--redis-password-file", path]
        try expectCounting(in: redis, flags)
        try expectCounting(in: redis, flags, ["REDIS_PASSWORD": "another"])
      }
    }
  }

  @Test("is taken from the URL rather than from REDIS_PASSWORD")
  func url() throws {
    try withRedis(password: password) { redis in
      try expectCounting(
        in: redis, [],
        [
          "REDIS_PASSWORD": "another",
          "REDIS_URL": "redis://:\(password)@127.0.0.1:\(redis.port)",
        ])
    }
  }

  @Test("is not seen in the process list when it stands in an argument")
  func processList() throws {
    try withRedis(password: password) { redis in
      let (user, bare) = ("default:\(password)", password)
      let urls = [user, ":\(password)", bare].map { "redis://\($0)@127.0.0.1:\(redis.port)/0" }
      for flags in urls.flatMap({ [["--redis", $0], ["--redis=\($0)"]] }) {
        try expectCounting(in: redis, flags)
      }
    }
  }

  @Test("is not shown when it is wrong")
  func wrong() throws {
    try withRedis(password: "right") { redis in
      let environment = ["REDIS_PASSWORD": password]
      try withCounter(["--redis", redis.url], environment: environment) { counter in
        try counter.waitUntilLogged("Redis lost")
        try expectUnavailable(counter.client().get("/"))
        #expect(!counter.log.contains(password))
      }
    }
  }

  @Test("is read from its file again when Redis refuses it, so that it can be changed under load")
  func change() throws {
    try withRedis(password: "before") { redis in
      try withTemporaryFolder { folder in
        let path = "\(folder)/password"
        try "before\n".write(toFile: path, atomically: true, encoding: .utf8)
        try withCounter(["--redis", redis.url, "--redis-password-file", path]) { counter in
          try counter.waitUntilReady()
          let client = try counter.client()
          #expect(try client.visit() == 1)
          // Redis takes both passwords for a while; connections that stand need none.
          _ = try redis.command("ACL", "SETUSER", "default", ">\(password)")
          try "\(password)\r\n".write(toFile: path, atomically: true, encoding: .utf8)
          #expect(try client.visit() == 2)
          _ = try redis.command("ACL", "SETUSER", "default", "<before")
          _ = try redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
          #expect(try client.visit() == 3)
          #expect(!counter.log.contains(password))
        }
      }
    }
  }

  @Test("A file without a password is named in one line, exit code 64")
  func badFile() throws {
    try withTemporaryFolder { folder in
      func refusal(of path: String, _ url: String = "redis://127.0.0.1:1") throws -> ChildProcess {
        try CounterProcess.run(
          ["--redis", url, "--redis-password-file", path], folder: folder)
      }
      func file(_ name: String, _ content: [UInt8]) throws -> String {
        try Data(content).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        return "\(folder)/\(name)"
      }
      let long = [UInt8](repeating: 0x61, count: 4097)
      for (path, reason) in [
        ("\(folder)/none", "No such file"), (folder, "Is a directory"), ("", "No such file"),
        (try file("empty", []), "empty"), (try file("newline", [10]), "empty"),
        (try file("long", long), "longer"), ("/dev/zero", "longer"),
        (try file("binary", [0xFF, 0xFE]), "UTF-8"),
      ] {
        let counter = try refusal(of: path)
        expectRefusal(by: counter, code: 64, naming: "--redis-password-file")
        #expect(counter.errors.contains(reason), "\(path): \(counter.errors)")
      }
      let good = try file("good", Array(password.utf8))
      let twice = try refusal(of: good, "redis://:\(password)@127.0.0.1:1")
      expectRefusal(by: twice, code: 64, naming: "a password of its own")
      #expect(!twice.errors.contains(password))
      let alone = try CounterProcess.run(["--redis-password-file", good], folder: folder)
      expectRefusal(by: alone, code: 64, naming: "no Redis is named")
    }
  }
}
