import Foundation
import Glibc
import Testing

@testable import TestSupport

/// What a visit costs in instructions of the program itself, which do not depend on how busy the
/// machine is.
@Suite("The cost of a visit")
struct CostTests {
  /// Far above what it is (docs/performance.md), so that only a real slip is noticed: on a busy
  /// machine batches are smaller, and a visit bears more of its batch.
  private static let ceiling = 5000

  private static let request = """
    GET / HTTP/1.1\r
    Host: localhost:8000\r
    User-Agent: cost/1.0\r
    Accept: */*\r
    \r

    """

  /// Counting takes an optimized program, and valgrind to count with.
  private static var canCount: Bool {
    ProcessInfo.processInfo.environment["COUNTER_EXECUTABLE"] != nil
      && FileManager.default.isExecutableFile(atPath: "/usr/bin/valgrind")
  }

  @Test("Stays under a generous ceiling of instructions", .enabled(if: canCount))
  func instructions() throws {
    try withRedis { redis in
      try withTemporaryFolder { folder in
        let program = "\(folder)/counter"
        let strip = try ChildProcess(
          // The debug information is nothing that every valgrind can read.
          "/usr/bin/strip", ["-g", "-o", program, try CounterProcess.executable()],
          environment: [:], folder: folder)
        #expect(try strip.waitForExit() == 0)

        let few = try count(rounds: 20, program, redis, folder)
        let many = try count(rounds: 220, program, redis, folder)
        let perVisit = (many - few) / (200 * 32)
        print("instructions a visit: \(perVisit)")
        #expect(perVisit > 500, "otherwise something else was counted")
        #expect(perVisit < Self.ceiling)
      }
    }
  }

  /// Counts the instructions of a whole run in which 32 visitors ask in lock step.
  private func count(
    rounds: Int, _ program: String, _ redis: RedisProcess, _ folder: String
  ) throws -> Int {
    let port = try FreePort.take()
    let result = "\(folder)/callgrind.\(rounds)"
    let process = try ChildProcess(
      "/usr/bin/valgrind",
      [
        "--tool=callgrind", "--callgrind-out-file=\(result)", program, "--host", "127.0.0.1",
        "--port", "\(port)", "--threads", "1", "--redis", redis.url,
      ], environment: ["PATH": "/usr/bin:/bin", "METRICS_PORT": "0"], folder: folder)
    defer { process.end() }
    try waitUntil("the counter serves", within: .seconds(60)) {
      (try? HTTPClient(port: port).get("/ready").status) == 200
    }
    let visitors = try (0..<32).map { _ in try HTTPClient(port: port, limit: .seconds(30)) }
    for _ in 0..<rounds {
      for visitor in visitors { try visitor.send(Self.request) }
      for visitor in visitors { #expect(try visitor.readResponse().number != nil) }
    }
    process.send(signal: SIGTERM)
    #expect(try process.waitForExit(within: .seconds(30)) == 0)
    let lines = try String(contentsOfFile: result, encoding: .utf8).split(separator: "\n")
    let totals = lines.first { $0.hasPrefix("totals:") || $0.hasPrefix("summary:") }
    return try #require(totals?.split(separator: " ").last.flatMap { Int($0) })
  }
}
