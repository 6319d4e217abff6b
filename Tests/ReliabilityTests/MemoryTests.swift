import Foundation
import Testing

@testable import TestSupport

extension ReliabilityTests {
  /// A counter in a control group that is too small for what its clients would have it buffer.
  @Suite(
    "Limited memory", .enabled(if: ControlGroup.canBeMade, "\(ControlGroup.requirement)"),
    .enabled(if: HostileClients.canRun, "it takes Python, which make test-tools installs"))
  struct MemoryTests {
    private static let limit = 64  // MiB

    @Test(
      "In 64 MiB without Redis, thousands of hostile clients do not get the counter killed or slow",
      arguments: HostileClients.Kind.allCases)
    func hostileClients(kind: HostileClients.Kind) throws {
      try withCounterInControlGroup { counter, group, folder in
        let count = Scale.choose(short: 2_000, full: 20_000)
        let normal = try NormalClient(port: counter.port)
        let clients = try HostileClients(kind, count: count, port: counter.port, folder: folder)
        let end = ContinuousClock.now + Scale.choose(short: .seconds(3), full: .seconds(15))
        var (memory, openFiles) = (0.0, 0)
        while ContinuousClock.now < end, counter.process.isRunning {
          memory = max(memory, group.memoryThatCannotBeReclaimed)
          openFiles = max(openFiles, counter.openFiles)
          Thread.sleep(forTimeInterval: 0.01)
        }
        let slowest = normal.stop()
        clients.leave()
        #expect(counter.process.isRunning, "exit code \(counter.process.exitCode ?? 0)")
        #expect(group.killCount == 0)
        #expect(memory < Double(Self.limit), "MiB")
        #expect(slowest < .seconds(1), "\(slowest)")
        #expect(openFiles > 64, "or the hostile clients were not there: \(clients.errors)")
        // A new client may have to wait in the backlog until the others are closed.
        try waitUntil("a new client is served", within: .seconds(5)) {
          (try? counter.client(limit: .seconds(1)).get("/health").status) == 200
        }
        Report.add(
          "\(count) clients that \(kind), Redis away, \(Self.limit) MiB of memory",
          "the counter is not killed; GET /health is answered within a second",
          """
          \(openFiles) connections and files, \(memory.text()) MiB at the peak; the slowest response \
          after \(slowest.seconds.text(2)) s
          """)
      }
    }

    /// Lends a counter without Redis in a control group of its own.
    private func withCounterInControlGroup(
      _ body: (CounterProcess, ControlGroup, _ folder: String) throws -> Void
    ) throws {
      try withTemporaryFolder { folder in
        let group = try ControlGroup(mebibytes: Self.limit)
        defer { group.remove() }
        let counter = try CounterProcess(
          ["--redis", "redis://127.0.0.1:\(try FreePort.take())"],
          environment: ["MEMORY_LIMIT": "\(Self.limit)"], folder: folder,
          controlGroup: group.folder)
        defer { counter.end() }
        try counter.waitUntilReady()
        try body(counter, group, folder)
      }
    }
  }
}
