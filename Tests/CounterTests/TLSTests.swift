import Foundation
import Testing

@testable import TestSupport

@Suite("An encrypted Redis", .serialized)
struct TLSTests {
  @Test("is counted in, with the files that flags or environment variables name")
  func counts() throws {
    try withTLSRedis(["--tls-auth-clients", "yes"]) { redis throws in
      let certificates = redis.certificates
      try certificates.issue("client", subject: "counter", for: [])
      let files = [
        certificates.path("authority"), certificates.path("client"), certificates.key("client"),
      ]
      let flags = zip(["--redis-ca", "--redis-cert", "--redis-key"], files).flatMap { [$0, $1] }
      try withCounter(["--redis", redis.url("localhost")] + flags) { counter throws in
        try counter.waitUntilLogged("counting in rediss://localhost:\(redis.port)")
        #expect(try counter.visit() == 1)
        #expect(try counter.client().get("/ready").status == 200)
      }
      let variables = zip(["REDIS_CA", "REDIS_CERT", "REDIS_KEY"], files)
      let environment = Dictionary(uniqueKeysWithValues: variables)
        .merging(["REDIS_URL": redis.url()]) { $1 }
      try withCounter([], environment: environment) { counter throws in
        #expect(try counter.visit() == 2)
        counter.send(signal: SIGTERM)
        #expect(try counter.waitForExit() == 0)
      }
      // Without an encrypted Redis the variables have no effect.
      try withCounter(["--redis", redis.plain.url], environment: environment) { counter throws in
        #expect(try counter.visit() == 3)
      }
    }
  }

  @Test("is refused with a reason, once in the log and at /ready, while it cannot be trusted")
  func untrusted() throws {
    try withTLSRedis { redis throws in
      let reasons = [
        "expired": "the server's certificate has expired",
        "later": "the server's certificate is not valid yet",
        "elsewhere": "the server's certificate is for another name or address",
        "foreign": "the server's certificate is from an authority that is not trusted",
        "other": "the server's certificate is from an authority that is not trusted",
      ]
      for certificate in try redis.makeBadCertificates() {
        try redis.use(certificate)
        let reason = try #require(reasons[certificate])
        let flags = ["--redis", redis.url(), "--threads", "2", "--visit-timeout", "0.3"]
        try withCounter(flags + redis.trust) { counter throws in
          try expectLoss(counter, in: redis, because: reason)
          try expectUnavailable(counter.client().get("/"))
          try redis.use("server")
          try counter.waitUntilLogged("Redis found again")
          #expect(try counter.visit() > 0)
        }
      }
    }
  }

  @Test(
    "is refused with a reason when one side speaks TLS and the other does not, or only an old one")
  func versions() throws {
    try withTLSRedis { redis throws in
      let plain = "redis://127.0.0.1:\(redis.port)"
      try withCounter(["--redis", plain]) { counter throws in
        try expectLoss(counter, in: redis, because: "perhaps the server speaks only TLS")
      }
      let encrypted = "rediss://127.0.0.1:\(redis.plain.port)"
      try withCounter(["--redis", encrypted, "--visit-timeout", "0.3"]) { counter throws in
        try expectLoss(counter, in: redis, because: "not finished in time; perhaps the server")
      }
      _ = try redis.plain.command(
        "CONFIG", "SET", "tls-protocols", "TLSv1.1", "tls-ciphers", "DEFAULT@SECLEVEL=0")
      try withCounter(["--redis", redis.url()] + redis.trust) { counter throws in
        try expectLoss(counter, in: redis, because: "the server speaks no TLS 1.2 or newer")
      }
      _ = try redis.plain.command("CONFIG", "SET", "tls-protocols", "", "tls-auth-clients", "yes")
      try withCounter(["--redis", redis.url()] + redis.trust) { counter throws in
        try expectLoss(counter, in: redis, because: "the server requires a client certificate")
      }
    }
  }

  /// The counter tries to connect again and again, and says once why it does not count.
  private func expectLoss(
    _ counter: CounterProcess, in redis: TLSRedis, because reason: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try counter.waitUntilLogged("Redis lost at", within: .seconds(30))
    let connections = try redis.connectionCount
    try waitUntil("it has tried again", within: .seconds(30)) {
      try redis.connectionCount > connections + 15
    }
    let log = counter.log
    #expect(
      counter.linesLogged(with: "Redis lost at") == 1, "\(log)", sourceLocation: sourceLocation)
    #expect(counter.linesLogged(with: reason) == 1, "\(log)", sourceLocation: sourceLocation)
    let ready = try counter.client().get("/ready")
    #expect(ready.status == 503, sourceLocation: sourceLocation)
    #expect(ready.body.contains(reason), "\(ready.body)", sourceLocation: sourceLocation)
    #expect(!ready.body.contains("127.0.0.1"), sourceLocation: sourceLocation)
  }

  @Test("is connected to again as often as it is lost, and no descriptor is left over")
  func reconnections() throws {
    try withTLSRedis { redis throws in
      let flags = ["--redis", redis.url(), "--threads", "1"]
      try withCounter(flags + redis.trust) { counter throws in
        let client = try counter.client()
        #expect(try client.visit() == 1)
        let before = try counter.openDescriptors
        for number: Int64 in 2...60 {
          _ = try redis.plain.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
          #expect(try client.visit() == number)
        }
        #expect(try counter.openDescriptors == before)
        #expect(try redis.connectionCount >= 60)
      }
    }
  }

  @Test("A file that cannot be used is named in one line, exit code 64")
  func badFiles() throws {
    try withTemporaryFolder { folder in
      let certificates = try Certificates(in: folder)
      func file(_ name: String, _ content: String) throws -> String {
        try content.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
        return "\(folder)/\(name)"
      }
      let (good, key) = (certificates.path("server"), certificates.key("server"))
      let locked = "\(folder)/locked"
      try certificates.run([
        "pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", locked,
      ])
      let pem = try String(contentsOfFile: good, encoding: .utf8)
      let broken = try file("broken", pem + pem.replacing("MII", with: "MIA", maxReplacements: 1))
      let long = try file("long", String(repeating: pem, count: 3000))
      for (flags, name, reason) in [
        (["--redis-ca", "\(folder)/none"], "--redis-ca", "No such file"),
        (["--redis-ca", folder], "--redis-ca", "Is a directory"),
        (["--redis-ca", ""], "--redis-ca", "empty"),
        (["--redis-ca", try file("empty", "")], "--redis-ca", "the file is empty"),
        (["--redis-ca", try file("text", "text")], "--redis-ca", "no certificates"),
        (["--redis-ca", broken], "--redis-ca", "no certificates"),
        (["--redis-ca", key], "--redis-ca", "no certificates"),
        (["--redis-ca", long], "--redis-ca", "longer"),
        (["--redis-ca", "/dev/zero"], "--redis-ca", "longer"),
        (["--redis-cert", good], "--redis-key", "needs its key"),
        (["--redis-key", key], "--redis-cert", "needs its certificate"),
        (["--redis-cert", key, "--redis-key", key], "--redis-cert", "no certificates"),
        (["--redis-cert", good, "--redis-key", good], "--redis-key", "no private key"),
        (["--redis-cert", good, "--redis-key", locked], "--redis-key", "without a password"),
        (
          ["--redis-cert", good, "--redis-key", certificates.key("authority")], "--redis-key",
          "not that of the certificate"
        ),
      ] {
        let counter = try CounterProcess.run(
          ["--redis", "rediss://127.0.0.1:1"] + flags, folder: folder)
        expectRefusal(by: counter, code: 64, naming: name)
        #expect(counter.errors.contains(reason), "\(flags): \(counter.errors)")
      }
      for redis in [["--redis", "redis://127.0.0.1:1"], []] {
        let counter = try CounterProcess.run(redis + ["--redis-ca", good], folder: folder)
        expectRefusal(by: counter, code: 64, naming: "--redis-ca")
        #expect(counter.errors.contains("no encrypted Redis"))
      }
    }
  }
}

extension TLSRedis {
  /// How many connections it has accepted since it started, those of the test among them.
  fileprivate var connectionCount: Int {
    get throws {
      let lines = try plain.command("INFO", "stats").text?.split(whereSeparator: \.isNewline) ?? []
      let line = lines.first { $0.hasPrefix("total_connections_received:") }
      return line?.split(separator: ":").last.flatMap { Int($0) } ?? 0
    }
  }
}

extension CounterProcess {
  /// How many files and sockets it has open.
  fileprivate var openDescriptors: Int {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.id)/fd").count
    }
  }
}
