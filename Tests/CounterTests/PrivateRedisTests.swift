import Foundation
import Glibc
import Testing

@testable import TestSupport

@Suite("The private redis-server", .serialized)
struct PrivateRedisTests {
  // MARK: Start and stop

  @Test("The count starts at 1 and goes on after a clean stop", arguments: ["data", "my own data"])
  func goesOn(name: String) throws {
    try withDataFolder(named: name) { data in
      for start in [0, 2, 4] as [Int64] {
        try data.withCounter { counter in
          #expect(try counter.visit() == start + 1)
          #expect(try counter.visit() == start + 2)
          let redis = try data.redis.processID()
          counter.send(signal: SIGTERM)
          #expect(try counter.waitForExit() == 0)
          try data.redis.waitUntilGone(redis, within: .seconds(1))
        }
      }
    }
  }

  @Test("The data folder is ./data unless told otherwise")
  func defaultFolder() throws {
    try withTemporaryFolder { folder in
      let data = DataFolder(path: "\(folder)/data", workingFolder: folder)
      defer { data.redis.end() }
      let counter = try CounterProcess([], folder: folder)
      defer { counter.end() }
      try counter.waitUntilReady()
      #expect(try counter.visit() == 1)
      #expect(try data.redis.hits == "1")
    }
  }

  @Test("DATA_DIR names the data folder, and --data beats it")
  func environment() throws {
    try withTemporaryFolder { folder in
      let (named, flagged) = ("\(folder)/named", "\(folder)/flagged")
      for (flags, expected) in [([], named), (["--data", flagged], flagged)] {
        let data = DataFolder(path: expected, workingFolder: folder)
        defer { data.redis.end() }
        let counter = try CounterProcess(flags, environment: ["DATA_DIR": named], folder: folder)
        defer { counter.end() }
        try counter.waitUntilReady()
        #expect(try counter.visit() == 1)
        #expect(try data.redis.hits == "1")
      }
    }
  }

  @Test("It has memory for the counters that there may be, and evicts none")
  func memory() throws {
    try withDataFolder { data in
      try data.withCounter(["--max-counters", "2048"]) { counter in
        #expect(try counter.visit() == 1)
        for (name, value) in [("maxmemory", "\(18 << 20)"), ("maxmemory-policy", "noeviction")] {
          let reply = try data.redis.command("CONFIG", "GET", name)
          #expect(reply == .list([.text(name), .text(value)]))
        }
      }
    }
  }

  @Test("The folder holds what the README says")
  func files() throws {
    try withDataFolder { data in
      try data.withCounter { counter in
        #expect(try counter.visit() == 1)
        let log = try String(contentsOfFile: "\(data.path)/redis.log", encoding: .utf8)
        #expect(!log.isEmpty)
        for name in ["redis.sock", "lock", "appendonlydir"] {
          #expect(FileManager.default.fileExists(atPath: "\(data.path)/\(name)"), "\(name)")
        }
      }
    }
  }

  @Test("It writes every visit to disk before the answer and listens on no TCP port")
  func settings() throws {
    try withDataFolder { data in
      try data.withCounter { counter in
        #expect(try counter.visit() == 1)
        for (name, value) in [("appendonly", "yes"), ("appendfsync", "always"), ("port", "0")] {
          let reply = try data.redis.command("CONFIG", "GET", name)
          #expect(reply == .list([.text(name), .text(value)]))
        }
      }
    }
  }

  @Test("It is in a session of its own, so that Ctrl-C reaches the counter only")
  func session() throws {
    try withDataFolder { data in
      try data.withCounter { counter in
        #expect(try counter.visit() == 1)
        let redis = try data.redis.processID()
        let session = try #require(ProcessTable.session(of: redis))
        #expect(session != ProcessTable.session(of: counter.process.id))
      }
    }
  }

  @Test("SIGINT to the counter stops both in order", arguments: [SIGINT, SIGTERM])
  func interrupted(signal: Int32) throws {
    try withDataFolder { data in
      try data.withCounter { counter in
        #expect(try counter.visit() == 1)
        let redis = try data.redis.processID()
        counter.send(signal: signal)
        #expect(try counter.waitForExit() == 0)
        try data.redis.waitUntilGone(redis, within: .seconds(1))
        let log = try String(contentsOfFile: "\(data.path)/redis.log", encoding: .utf8)
        #expect(log.contains("Redis is now ready to exit"))
      }
    }
  }

  @Test("SIGTERM under load: no visit fails and all are there after the next start")
  func stoppedUnderLoad() throws {
    try withDataFolder { data in
      let tally = try data.withCounter { counter in
        let visitors = Visitors(16, ports: [counter.port], whenClosed: .stayAway)
        try visitors.waitUntilAnswered(500)
        counter.send(signal: SIGTERM)
        let exitCode = try counter.waitForExit()
        #expect(exitCode == 0)
        return try visitors.waitUntilAllLeft()
      }
      try data.withCounter { counter in
        let count = try counter.visit() - 1
        let findings = Findings(tally, count: count)
        #expect(findings.isExact, "\(findings)")
      }
    }
  }

  // MARK: Crashes

  @Test("redis-server killed under load: no visit fails, and no number is lost or doubled")
  func redisKilled() throws {
    try withDataFolder { data in
      try data.withCounter(["--visit-timeout", "15"]) { counter in
        let visitors = Visitors(16, ports: [counter.port])
        for _ in 0..<4 {
          try visitors.waitUntilAnswered(more: 300)
          try data.redis.crash()
        }
        try visitors.waitUntilAnswered(more: 300)
        let tally = try visitors.stop()
        let count = try #require(Int64(data.redis.hits ?? "0"))
        let findings = Findings(tally, count: count)
        #expect(findings.isExact, "\(findings)")
      }
    }
  }

  @Test("The counter killed under load: redis-server goes too, and no answered visit is forgotten")
  func counterKilled() throws {
    try withDataFolder { data in
      let tally = try data.withCounter { counter in
        let visitors = Visitors(16, ports: [counter.port], whenClosed: .stayAway)
        try visitors.waitUntilAnswered(500)
        let redis = try data.redis.processID()
        counter.send(signal: SIGKILL)
        try data.redis.waitUntilGone(redis)
        return try visitors.waitUntilAllLeft()
      }
      try data.withCounter { counter in
        let number = try counter.visit()
        let findings = Findings(tally, count: number - 1)
        #expect(findings.isExactWhereAnswered, "\(findings)")
        #expect(findings.failed <= 16, "those under way")
        #expect(try counter.visit() == number + 1)
      }
    }
  }

  @Test("Both killed at the same time: no answered visit is forgotten")
  func bothKilled() throws {
    try withDataFolder { data in
      for round in 1...3 {
        try data.withCounter { counter in
          let number = try counter.visit()
          #expect(number == round)
          let redis = try data.redis.processID()
          kill(redis, SIGKILL)
          counter.send(signal: SIGKILL)
          try data.redis.waitUntilGone(redis)
        }
      }
    }
  }

  // MARK: Starts that fail

  @Test("A second counter on the same folder is refused, and the first one is unharmed")
  func folderInUse() throws {
    try withDataFolder { data in
      try data.withCounter { counter in
        #expect(try counter.visit() == 1)
        let port = try FreePort.take()
        let second = try CounterProcess.run(
          ["--host", "127.0.0.1", "--port", "\(port)", "--data", data.path],
          folder: data.workingFolder)
        expectRefusal(by: second, code: 69, naming: data.path)
        #expect(try counter.visit() == 2)
        #expect(try data.redis.hits == "2")
      }
    }
  }

  @Test("Without redis-server in PATH the error says so, and how to install it")
  func notInstalled() throws {
    try withTemporaryFolder { folder in
      let counter = try CounterProcess.run(
        ["--host", "127.0.0.1", "--port", "\(FreePort.take())"], environment: ["PATH": folder],
        folder: folder)
      expectRefusal(by: counter, code: 69, naming: "redis-server")
      #expect(counter.errors.contains("apt"))
    }
  }

  @Test("A data folder that cannot be made is named")
  func folderImpossible() throws {
    try withTemporaryFolder { folder in
      let file = "\(folder)/file"
      #expect(FileManager.default.createFile(atPath: file, contents: nil))
      for path in ["\(file)/data", file] {
        let counter = try CounterProcess.run(
          ["--host", "127.0.0.1", "--port", "\(FreePort.take())", "--data", path], folder: folder)
        let code = try #require(counter.exitCode)
        #expect([64, 69].contains(code))
        expectRefusal(by: counter, code: code, naming: path)
      }
    }
  }

  @Test("A data folder too deep for the path of a socket works or is named")
  func folderTooDeep() throws {
    try withTemporaryFolder { folder in
      let deep = "\(folder)/" + String(repeating: "d", count: 120)
      try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: false)
      let counter = try CounterProcess([], folder: deep)
      defer { counter.end() }
      try waitUntil("the counter serves or exits") {
        !counter.process.isRunning || (try? counter.client().get("/health").status) == 200
      }
      guard let code = counter.process.exitCode else {
        #expect(try counter.visit() == 1)
        counter.send(signal: SIGTERM)
        #expect(try counter.waitForExit() == 0)
        return
      }
      #expect([64, 69].contains(code))
      expectRefusal(by: counter.process, code: code, naming: "data")
    }
  }

  @Test("A redis-server that cannot start is no reason to hang")
  func cannotStart() throws {
    try withTemporaryFolder { folder in
      let program = "\(folder)/redis-server"
      try "#!/bin/sh\nexit 1\n".write(toFile: program, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
      let process = try CounterProcess.start(
        ["--host", "127.0.0.1", "--port", "\(FreePort.take())"],
        environment: ["PATH": "\(folder):/bin:/usr/bin"], folder: folder)
      defer { process.end() }
      #expect(try process.waitForExit(within: .seconds(20)) == 69)
      #expect(process.errors.contains("redis"))
    }
  }
}
