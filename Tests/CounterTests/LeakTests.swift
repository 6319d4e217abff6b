import Foundation
import Glibc
import Testing

@testable import TestSupport

/// A counter that was built with AddressSanitizer looks for leaks when it ends, in everything that
/// was allocated in its process, hiredis included, and exits with an error when it finds one. One
/// that was built with ThreadSanitizer does so after a data race.
@Suite("Leaks and races", .enabled(if: sanitizer != nil), .serialized)
struct LeakTests {
  private static var visits: Int {
    ProcessInfo.processInfo.environment["LEAK_VISITS"].flatMap { Int($0) } ?? 10_000
  }

  private static let flags = ["--visit-timeout", "0.5", "--threads", "2"]

  @Test("There are none after many visits with Redis cut off, killed and out of memory in between")
  func visits() throws {
    try withCounterAndRedis(Self.flags) { counter, redis in
      try visitWithFailures(Self.visits, counter, redis)
    }
  }

  @Test("The same with an encrypted Redis, and certificates that are not trusted")
  func encryptedVisits() throws {
    try withTLSRedis { redis throws in
      let bad = try redis.makeBadCertificates()
      let authority = try String(
        contentsOfFile: redis.certificates.path("authority"), encoding: .utf8)
      let trusted = redis.certificates.path("trusted")
      try authority.write(toFile: trusted, atomically: true, encoding: .utf8)
      let flags = Self.flags + ["--redis", redis.url(), "--redis-ca", trusted]
      try withCounter(flags) { counter throws in
        try visitWithFailures(Self.visits / 4, counter, redis.plain) {
          for certificate in bad {
            // A file that cannot be used is read in vain, and its successor again.
            try "nonsense".write(toFile: trusted, atomically: true, encoding: .utf8)
            try redis.use(certificate)
            _ = try redis.plain.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            try counter.refuse(1)
            try authority.write(toFile: trusted, atomically: true, encoding: .utf8)
          }
          try redis.use("server")
        }
      }
    }
  }

  private func visitWithFailures(
    _ count: Int, _ counter: CounterProcess, _ redis: RedisProcess,
    _ further: @escaping () throws -> Void = {}
  ) throws {
    let visitors = Visitors(16, ports: [counter.port], limit: .seconds(300))
    defer { visitors.tellToStop() }
    let failures = [
      { _ = try redis.command("CLIENT", "KILL", "TYPE", "normal") },
      {
        redis.crash()
        try counter.refuse(3)
        try redis.start()
      },
      {
        redis.freeze()
        try counter.refuse(3)
        redis.thaw()
      },
      {
        _ = try redis.command("CONFIG", "SET", "maxmemory", "1")
        try counter.refuse(3)
        _ = try redis.command("CONFIG", "SET", "maxmemory", "0")
      },
      { _ = try redis.command("SCRIPT", "FLUSH") },
      { try counter.annoy() }, further,
    ]
    let share = count / (failures.count + 1)
    for failure in failures {
      try visitors.waitUntilAnswered(more: share, within: .seconds(120))
      try failure()
    }
    try visitors.waitUntilAnswered(count, within: .seconds(120))
    let tally = try visitors.stop()
    #expect(tally.visits.count >= count)
    #expect(Set(tally.numbers).count == tally.visits.count)

    counter.send(signal: SIGTERM)
    let code = try counter.waitForExit(within: .seconds(60))
    #expect(code == 0, "\(counter.log)")
    #expect(!counter.log.contains("Sanitizer"))
  }

  @Test("A leak would be found", .enabled(if: sanitizer == "address"))
  func leaking() throws {
    try withTemporaryFolder { folder in
      let source = "\(folder)/leaking.swift"
      try "import Glibc\nfor _ in 0..<9 { _ = malloc(4321) }\n"
        .write(toFile: source, atomically: false, encoding: .utf8)
      let path = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
      let compiler = try ChildProcess(
        "/usr/bin/env", ["swiftc", "-sanitize=address", source, "-o", "\(folder)/leaking"],
        environment: path, folder: folder)
      #expect(try compiler.waitForExit(within: .seconds(120)) == 0, "\(compiler.errors)")
      let program = try ChildProcess(
        "\(folder)/leaking", [], environment: [:], folder: folder)
      #expect(try program.waitForExit(within: .seconds(30)) != 0)
      #expect(program.errors.contains("LeakSanitizer"))
      #expect(program.errors.contains("\(9 * 4321) byte(s) leaked"))
    }
  }
}

extension CounterProcess {
  /// Waits for so many visits that are answered 503.
  fileprivate func refuse(_ count: Int) throws {
    for _ in 0..<count {
      try waitUntil("a visit is answered 503") { try client().get("/").status == 503 }
    }
  }

  /// Has clients send nonsense, go away, and leave requests unfinished.
  fileprivate func annoy() throws {
    for text in ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nHost:", "POST / HTTP/1.1\r\nHost: x\r\n"] {
      for _ in 0..<20 {
        let leaving = try client()
        try leaving.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n" + text)
        try leaving.socket.resetOnClose()
      }
    }
  }
}
