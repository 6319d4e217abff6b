import Foundation
import Glibc
import Testing

@testable import TestSupport

@Suite("The log", .serialized)
struct LogTests {
  /// The log from start to stop, with Redis lost and found in between.
  private func log(_ flags: [String], environment: [String: String] = [:]) throws -> String {
    try withRedis { redis in
      let environment = environment.merging(["REDIS_URL": redis.url, "THREADS": "1"]) { $1 }
      return try withCounter(flags, environment: environment) { counter in
        #expect(try counter.visit() == 1)
        redis.crash()
        try waitUntil("it is noticed") { try counter.client().get("/ready").status == 503 }
        try redis.start()
        try waitUntil("it is back") { try counter.client().get("/ready").status == 200 }
        counter.send(signal: SIGTERM)
        #expect(try counter.waitForExit() == 0)
        return counter.log
      }
    }
  }

  @Test("Is JSON when asked to, from start to stop", arguments: [["--log-format", "json"], []])
  func json(flags: [String]) throws {
    let log = try log(flags, environment: flags.isEmpty ? ["LOG_FORMAT": "json"] : [:])
    let lines = log.split(separator: "\n")
    let messages = try lines.map { line in
      let object = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
      #expect(Set(object.keys) == ["time", "level", "logger", "message"])
      return try #require(object["message"])
    }
    for expected in ["listening on", "Redis lost", "Redis found again", "draining", "stopped"] {
      #expect(messages.contains { $0.contains(expected) }, "\(expected)")
    }
  }

  @Test("A full pipe that is never read delays neither visits nor a stop")
  func unreadPipe() throws {
    try withRedis { redis in
      try withTemporaryFolder { folder in
        let pipe = "\(folder)/pipe"
        #expect(unsafe mkfifo(pipe, 0o600) == 0)
        // Open for reading and writing, so that a write finds a reader, which never reads.
        let reader = unsafe open(pipe, O_RDWR | O_CLOEXEC | O_NONBLOCK)
        defer { close(reader) }
        let page = [UInt8](repeating: 0x78, count: 4096)
        while unsafe write(reader, page, page.count) > 0 {}

        let counter = try CounterProcess(
          ["--redis", redis.url, "--threads", "2"], folder: folder, redirection: "2> '\(pipe)'")
        defer { counter.end() }
        try counter.waitUntilReady()
        let clients = try (0..<8).map { _ in try counter.client() }
        for _ in 0..<3 {
          _ = try redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
          for client in clients { #expect(try client.visit() > 0) }
        }
        counter.send(signal: SIGTERM)
        #expect(try counter.waitForExit() == 0)
      }
    }
  }

  @Test("Keeps to its level")
  func level() throws {
    #expect(try log(["--log-level", "error"]).isEmpty)
    let warnings = try log([], environment: ["LOG_LEVEL": "warning"]).split(separator: "\n")
    #expect(!warnings.isEmpty)
    #expect(warnings.allSatisfy { $0.contains(" warning counter: ") }, "\(warnings)")
  }
}
