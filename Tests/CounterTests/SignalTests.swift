import Foundation
import Glibc
import Testing

@testable import TestSupport

/// A folder with a program called redis-server that is this shell script, and a counter that finds
/// it there.
private func withCounter(
  onRedisServer script: String, _ body: (ChildProcess, UInt16, String) throws -> Void
) throws {
  try withTemporaryFolder { folder in
    let program = "\(folder)/redis-server"
    try "#!/bin/sh\n\(script)\n".write(toFile: program, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    let port = try FreePort.take()
    let process = try CounterProcess.start(
      ["--host", "127.0.0.1", "--port", "\(port)"],
      environment: ["PATH": "\(folder):/bin:/usr/bin"], folder: folder)
    defer {
      process.end()
      let id = (try? String(contentsOfFile: "\(folder)/started", encoding: .utf8)).flatMap {
        pid_t($0.filter(\.isNumber))
      }
      if let id { kill(id, SIGKILL) }
    }
    try body(process, port, folder)
  }
}

/// The process id that a script has written.
private func startedProcess(in folder: String) throws -> pid_t {
  var id: pid_t?
  try waitUntil("redis-server is started") {
    id = (try? String(contentsOfFile: "\(folder)/started", encoding: .utf8)).flatMap {
      $0.hasSuffix("\n") ? pid_t($0.dropLast()) : nil
    }
    return id != nil
  }
  return try #require(id)
}

@Suite("Signals", .serialized)
struct SignalTests {
  // MARK: Ignored signals

  @Test("Under nohup, SIGHUP does not stop the counter, and SIGTERM does")
  func nohup() throws {
    try withRedis { redis in
      try withTemporaryFolder { folder in
        let port = try FreePort.take()
        let process = try ChildProcess(
          "/usr/bin/nohup",
          [
            try CounterProcess.executable(), "--host", "127.0.0.1", "--port", "\(port)",
            "--redis", redis.url,
          ],
          environment: CounterProcess.usualEnvironment, folder: folder)
        defer { process.end() }
        try expectImmune(process, to: SIGHUP, port)
      }
    }
  }

  @Test("A background job of a shell is not stopped by SIGINT, which the shell has it ignore")
  func backgroundJob() throws {
    try withRedis { redis in
      try withTemporaryFolder { folder in
        let port = try FreePort.take()
        let process = try ChildProcess(
          "/bin/sh",
          [
            "-c", "trap '' INT; exec \"$0\" \"$@\"", try CounterProcess.executable(),
            "--host", "127.0.0.1", "--port", "\(port)", "--redis", redis.url,
          ],
          environment: CounterProcess.usualEnvironment, folder: folder)
        defer { process.end() }
        try expectImmune(process, to: SIGINT, port)
      }
    }
  }

  /// A drain would refuse connections at once, so a visit on a new connection shows that none began.
  private func expectImmune(_ process: ChildProcess, to signal: Int32, _ port: UInt16) throws {
    try waitUntil("the counter serves") {
      (try? HTTPClient(port: port).get("/health").status) == 200
    }
    process.send(signal: signal)
    for number in 1...20 as ClosedRange<Int64> {
      #expect(try HTTPClient(port: port).visit() == number)
    }
    #expect(!process.errors.contains("draining"))
    process.send(signal: SIGTERM)
    #expect(try process.waitForExit() == 0)
  }

  @Test("SIGHUP stops a counter that was started with SIGHUP as usual")
  func hangUp() throws {
    try withCounterAndRedis { counter, _ in
      counter.send(signal: SIGHUP)
      let code = try counter.waitForExit(within: .seconds(3))
      #expect(code == 0)
      #expect(counter.log.contains("after SIGHUP"))
    }
  }

  @Test("A terminal that is closed, which sends SIGHUP twice, does not cut the stop short")
  func doubleHangUp() throws {
    try withCounterAndRedis { counter, redis in
      redis.freeze()
      let client = try counter.client()
      try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try client.hearsNothing(for: .milliseconds(200)))
      counter.send(signal: SIGHUP)
      counter.send(signal: SIGHUP)
      try counter.waitUntilRefusing()
      counter.send(signal: SIGHUP)
      redis.thaw()
      #expect(try client.readResponse().number == 1)
      #expect(try counter.waitForExit(within: .seconds(5)) == 0)
    }
  }

  // MARK: While redis-server starts

  @Test("/health is answered while the private redis-server starts, and /ready says 503")
  func healthWhileStarting() throws {
    try withCounter(onRedisServer: "echo $$ > started; exec sleep 60") { process, port, folder in
      _ = try startedProcess(in: folder)
      let client = try HTTPClient(port: port)
      #expect(try client.get("/health").status == 200)
      #expect(try client.get("/ready").status == 503)
      #expect(!process.errors.contains("Redis lost"))
    }
  }

  @Test(
    "The first signal ends a start at once and cleanly, and redis-server with it",
    arguments: [SIGINT, SIGTERM])
  func stopWhileStarting(signal: Int32) throws {
    try withCounter(onRedisServer: "echo $$ > started; exec sleep 60") { process, _, folder in
      let redis = try startedProcess(in: folder)
      process.send(signal: signal)
      #expect(try process.waitForExit(within: .seconds(2)) == 0)
      #expect(!ProcessTable.isRunning(redis))
    }
  }

  @Test("A signal ends the wait for a folder that a redis-server still holds")
  func stopWhileWaitingForFolder() throws {
    try withTemporaryFolder { folder in
      let data = "\(folder)/data"
      try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: false)
      // The lock names a process that is gone, as after a crash of the counter.
      let gone = try ChildProcess("/bin/true", [], environment: [:], folder: folder)
      _ = try gone.waitForExit()
      try "\(gone.id)\n".write(toFile: "\(data)/lock", atomically: false, encoding: .utf8)
      let lock = unsafe open("\(data)/lock", O_RDWR | O_CLOEXEC)
      defer { close(lock) }
      #expect(flock(lock, LOCK_EX) == 0)
      let counter = try CounterProcess([], folder: folder)
      defer { counter.end() }
      try counter.waitUntilReady()
      counter.send(signal: SIGINT)
      #expect(try counter.waitForExit(within: .seconds(3)) == 0)
    }
  }

  @Test("A folder that another redis-server gives up in time is used")
  func folderGivenUp() throws {
    try withTemporaryFolder { folder in
      let data = DataFolder(path: "\(folder)/data", workingFolder: folder)
      defer { data.redis.end() }
      try FileManager.default.createDirectory(atPath: data.path, withIntermediateDirectories: false)
      let gone = try ChildProcess("/bin/true", [], environment: [:], folder: folder)
      _ = try gone.waitForExit()
      try "\(gone.id)\n".write(toFile: "\(data.path)/lock", atomically: false, encoding: .utf8)
      let lock = unsafe open("\(data.path)/lock", O_RDWR | O_CLOEXEC)
      #expect(flock(lock, LOCK_EX) == 0)
      let counter = try CounterProcess([], folder: folder)
      defer { counter.end() }
      try counter.waitUntilReady()
      #expect(!FileManager.default.fileExists(atPath: "\(data.path)/redis.sock"))
      close(lock)
      #expect(try counter.visit() == 1)
    }
  }

  // MARK: While redis-server stops

  @Test("A redis-server that ignores SIGTERM is killed, and the stop ends in time")
  func stubbornRedis() throws {
    let script = "echo $$ > started; trap '' TERM; while :; do sleep 0.05; done"
    try withCounter(onRedisServer: script) { process, _, folder in
      let redis = try startedProcess(in: folder)
      process.send(signal: SIGTERM)
      let began = ContinuousClock.now
      #expect(try process.waitForExit(within: .seconds(6)) == 0)
      #expect(ContinuousClock.now - began < withSlack(.seconds(5)))
      #expect(process.errors.contains("did not end in time"))
      #expect(!ProcessTable.isRunning(redis))
    }
  }

  @Test("A second signal ends the program at once while redis-server is ending")
  func secondSignal() throws {
    try withDataFolder { data in
      try data.withCounter { counter in
        #expect(try counter.visit() == 1)
        let redis = try data.redis.processID()
        kill(redis, SIGSTOP)
        counter.send(signal: SIGTERM)
        try counter.waitUntilLogged("draining")
        try counter.waitUntilRefusing()
        let began = ContinuousClock.now
        counter.send(signal: SIGINT)
        #expect(try counter.waitForExit(within: .seconds(2)) == 75)
        #expect(ContinuousClock.now - began < withSlack(.seconds(1)))
        #expect(!ProcessTable.isRunning(redis))
      }
    }
  }

  @Test("A second signal ends a drain at once")
  func secondSignalWhileDraining() throws {
    let flags = ["--visit-timeout", "30", "--drain-timeout", "20"]
    try withCounterAndRedis(flags) { counter, redis in
      redis.freeze()
      let client = try counter.client()
      try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try client.hearsNothing(for: .milliseconds(200)))
      counter.send(signal: SIGTERM)
      try counter.waitUntilRefusing()
      counter.send(signal: SIGTERM)
      #expect(try counter.waitForExit(within: .seconds(2)) == 75)
      redis.thaw()
    }
  }

  @Test("A second signal ends the program at once while its last log lines wait for a reader")
  func secondSignalWhileFlushing() throws {
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
          ["--redis", redis.url], folder: folder, redirection: "2> '\(pipe)'")
        defer { counter.end() }
        try counter.waitUntilReady()
        counter.send(signal: SIGTERM)
        try counter.waitUntilRefusing()
        counter.send(signal: SIGTERM)
        #expect(try counter.waitForExit(within: .milliseconds(800)) == 75)
      }
    }
  }
}
