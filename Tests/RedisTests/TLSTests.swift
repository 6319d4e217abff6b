import BasicContainers
import Foundation
import Synchronization
import System
import Testing

@testable import Redis
@testable import TestSupport

@Suite("An encrypted connection to Redis")
struct TLSTests {
  private func trust(_ redis: TLSRedis) -> TLSFiles {
    TLSFiles(authorities: redis.certificates.path("authority"))
  }

  @Test(
    "carries commands by address and by name, with TLS 1.2 and 1.3", arguments: ["1.2", "1.3"])
  func carries(version: String) throws {
    try withTLSRedis(password: "secret", ["--tls-protocols", "TLSv\(version)"]) { redis throws in
      _ = try redis.plain.command("SET", "n", "40")
      for (host, number) in [("127.0.0.1", Int64(41)), ("localhost", 42), ("localhost.", 43)] {
        let url = "rediss://:secret@\(host):\(redis.port)"
        var loop = try ConnectionLoop(to: url, tls: trust(redis), resolver: thisMachine())
        #expect(try loop.ask("INCR", "n") == number)
        #expect(loop.connection.error == nil)
      }
    }
  }

  /// A name server by which every name is that of this machine.
  private func thisMachine() throws -> Resolver {
    try Resolver { _, port in
      .success([SocketAddress(host: "127.0.0.1", port: port)].compactMap(\.self))
    }
  }

  /// Connects until there is an error.
  private func error(
    _ url: String, _ files: TLSFiles, resolver: Resolver? = nil
  ) throws -> RedisError? {
    var loop = try ConnectionLoop(to: url, tls: files, resolver: resolver)
    try loop.turn(until: "there is an error") { $0.connection.error != nil }
    #expect(loop.connection.isReady == false)
    return loop.connection.error
  }

  @Test("refuses a server that it cannot trust, says why, and does not send the password")
  func untrusted() throws {
    try withTLSRedis(password: "secret") { redis throws in
      let certificates = redis.certificates
      _ = try redis.makeBadCertificates()
      try certificates.issue("subject", subject: "localhost", for: [])
      let files = trust(redis)
      for (certificate, expected): (String, TLSError) in [
        ("expired", .certificateExpired), ("later", .certificateNotYetValid),
        ("elsewhere", .wrongName), ("subject", .wrongName), ("foreign", .unknownAuthority),
        ("other", .unknownAuthority),
      ] {
        try redis.use(certificate)
        for host in ["127.0.0.1", "localhost"] {
          let before = try redis.plain.callCount("auth")
          let found = try error("rediss://:secret@\(host):\(redis.port)", files)
          #expect(found == .tls(expected), "\(certificate) \(host)")
          #expect(found?.description.contains("certificate") == true)
          #expect(try redis.plain.callCount("auth") == before + 1, "that of the test itself")
        }
      }
      try redis.use("server")
      #expect(try error(redis.url(), TLSFiles()) == .tls(.unknownAuthority), "the system's")
    }
  }

  @Test("trusts a certificate that was named itself, and one behind an intermediate authority")
  func chains() throws {
    try withTLSRedis { redis throws in
      let pinned = TLSFiles(authorities: redis.certificates.path("server"))
      var loop = try ConnectionLoop(to: redis.url(), tls: pinned)
      #expect(try loop.ask("INCR", "n") == 1)
    }
  }

  @Test(
    "asks the server for the host by its name, and checks the name of the address, not of the host found"
  )
  func serverName() throws {
    try withTLSRedis { redis throws in
      try redis.certificates.issue("named", for: ["DNS:*.redis.test"])
      try redis.use("named")
      var loop = try ConnectionLoop(
        to: redis.url("a.redis.test"), tls: trust(redis), resolver: thisMachine())
      #expect(try loop.ask("INCR", "n") == 1)
      for host in ["a.b.redis.test", "redis.test", "a.redis.example"] {
        #expect(
          try error(redis.url(host), trust(redis), resolver: thisMachine()) == .tls(.wrongName))
      }
    }
  }

  @Test(
    "is refused by a server without TLS 1.2, without TLS, and without encryption by one with it")
  func versions() throws {
    let old = ["--tls-protocols", "TLSv1.1", "--tls-ciphers", "DEFAULT@SECLEVEL=0"]
    try withTLSRedis(old) { redis throws in
      #expect(try error(redis.url(), trust(redis)) == .tls(.noCommonVersion))
      let plain = try error("redis://127.0.0.1:\(redis.port)", TLSFiles())
      #expect(plain == .tls(.perhapsRequired))
    }
    let plain = try SilentServer(saying: Array("-ERR unknown command\r\n".utf8))
    defer { plain.end() }
    #expect(try error("rediss://127.0.0.1:\(plain.port)", TLSFiles()) == .tls(.notSpoken))
    // An alert: protocol_version, fatal.
    let encrypted = try SilentServer(saying: [21, 3, 1, 0, 2, 2, 70])
    defer { encrypted.end() }
    #expect(try error("redis://127.0.0.1:\(encrypted.port)", TLSFiles()) == .tls(.required))
  }

  @Test("shows its certificate to a server that requires one", arguments: ["1.2", "1.3"])
  func clientCertificate(version: String) throws {
    let flags = ["--tls-protocols", "TLSv\(version)", "--tls-auth-clients", "yes"]
    try withTLSRedis(flags) { redis throws in
      let certificates = redis.certificates
      try certificates.makeAuthority("other")
      try certificates.issue("client", subject: "counter", for: [])
      try certificates.issue("foreign", by: "other", subject: "counter", for: [])
      var files = trust(redis)
      #expect(try error(redis.url(), files) == .tls(.clientCertificateRequired))
      (files.certificate, files.key) = (certificates.path("foreign"), certificates.key("foreign"))
      #expect(
        try error(redis.url(), files) == .tls(.clientCertificateRefused("tlsv1 alert unknown ca")))
      (files.certificate, files.key) = (certificates.path("client"), certificates.key("client"))
      var loop = try ConnectionLoop(to: redis.url(), tls: files)
      #expect(try loop.ask("INCR", "n") == 1)
    }
  }

  @Test("shows the certificates between its own and the authority, too", arguments: ["1.2", "1.3"])
  func chain(version: String) throws {
    let flags = ["--tls-protocols", "TLSv\(version)", "--tls-auth-clients", "yes"]
    try withTLSRedis(flags) { redis throws in
      let certificates = redis.certificates
      try certificates.makeAuthority("between", by: "authority")
      try certificates.makeAuthority("further", by: "between")
      try certificates.issue("client", by: "further", subject: "counter", for: [])
      let chain = try ["client", "further", "between"].map {
        try String(contentsOfFile: certificates.path($0), encoding: .utf8)
      }
      let path = "\(certificates.folder)/chain.pem"
      try chain.joined().write(toFile: path, atomically: true, encoding: .utf8)
      var files = trust(redis)
      (files.certificate, files.key) = (path, certificates.key("client"))
      var loop = try ConnectionLoop(to: redis.url(), tls: files)
      #expect(try loop.ask("INCR", "n") == 1)
      try loop.loseConnection(redis.plain)
      #expect(try loop.ask("INCR", "n") == 2)
    }
  }

  @Test(
    "checks an address that is numeric for the C library only",
    arguments: ["127.1", "0x7f.1", "2130706433"])
  func numericAddress(host: String) throws {
    try withTLSRedis { redis throws in
      let url = "rediss://\(host):\(redis.port)"
      var loop = try ConnectionLoop(to: url, tls: trust(redis))
      #expect(try loop.ask("INCR", "n") == 1)
      _ = try redis.makeBadCertificates()
      try redis.use("elsewhere")
      #expect(try error(url, trust(redis)) == .tls(.wrongName))
    }
  }

  @Test("reads its files again when they have changed, and keeps them while they cannot be used")
  func rotation() throws {
    try withTLSRedis { redis throws in
      let certificates = redis.certificates
      try certificates.makeAuthority("next")
      try certificates.issue("renewed", by: "next")
      let trusted = "\(certificates.folder)/trusted"
      func replace(_ content: String) throws {
        try content.write(toFile: trusted, atomically: true, encoding: .utf8)
      }
      func content(_ name: String) throws -> String {
        try String(contentsOfFile: certificates.path(name), encoding: .utf8)
      }
      try replace(content("authority"))
      var loop = try ConnectionLoop(to: redis.url(), tls: TLSFiles(authorities: trusted))
      #expect(try loop.ask("INCR", "n") == 1)
      try replace("nonsense")
      try loop.loseConnection(redis.plain)
      #expect(try loop.ask("INCR", "n") == 2)
      try redis.use("renewed")
      try loop.loseConnection(redis.plain)
      try loop.turn(until: "it is refused") { $0.connection.error == .tls(.unknownAuthority) }
      try replace(content("next"))
      try loop.skip(.seconds(1))
      #expect(try loop.ask("INCR", "n") == 3)
    }
  }

  @Test("gives a handshake a time of its own, which doubles, with a reason of its own")
  func stalled() throws {
    let server = try SilentServer()
    defer { server.end() }
    var loop = try ConnectionLoop(to: "rediss://127.0.0.1:\(server.port)", limit: .seconds(4))
    loop.stopClock()
    for expected: Int64 in [1000, 2000, 4000, 4000] {
      try loop.turn(until: "the handshake goes on") {
        if case .handshaking = $0.connection.state { true } else { false }
      }
      #expect(loop.connection.deadline - loop.now == .milliseconds(expected))
      try loop.skipToDeadline()
      #expect(loop.connection.error == .tls(.handshakeTimedOut))
      try loop.skipToDeadline()
    }
  }

  @Test("waits for the rest of a record until the deadline of its state, and for nothing else")
  func stalledRecord() throws {
    try withTLSRedis { redis throws in
      let relay = try ByteRelay(to: redis.port)
      defer { relay.end() }
      var loop = try ConnectionLoop(to: "rediss://127.0.0.1:\(relay.port)", tls: trust(redis))
      try loop.turn(until: "ready") { $0.connection.isReady }
      loop.connection.drop(.closed, loop.now)
      try loop.turn(until: "the relay has noticed") { _ in relay.record.ends == 1 }
      // The last bytes were those of the reply to PING, in a record of some 30 bytes.
      relay.trouble = .stallFromServer(relay.record.fromServer - 10)
      try loop.skip(.seconds(1))
      try loop.turn(until: "it greets") {
        if case .greeting = $0.connection.state { true } else { false }
      }
      for _ in 0..<100 { _ = try loop.turn() }
      #expect(loop.connection.isReady == false)
      try loop.skipToDeadline()
      #expect(loop.connection.error == .timedOut)
      relay.trouble = nil
      try loop.skip(.seconds(1))
      #expect(try loop.ask("INCR", "n") == 1)
    }
  }

  @Test("leads to the primary that an encrypted sentinel names")
  func sentinel() throws {
    try withTLSRedis { redis throws in
      try withSentinel(of: redis) { port throws in
        let url = "rediss-sentinel://127.0.0.1:\(port)#m"
        var loop = try ConnectionLoop(to: url, tls: trust(redis))
        #expect(try loop.ask("INCR", "n") == 1)
        try loop.loseConnection(redis.plain)
        #expect(try loop.ask("INCR", "n") == 2)
        let reason = try #require(try error(url, TLSFiles())?.description)
        #expect(reason.hasPrefix("no sentinel tells the primary: 127.0.0.1:\(port): the server's"))
        #expect(reason.contains("an authority that is not trusted"))
      }
    }
    let server = try SilentServer()
    defer { server.end() }
    var loop = try ConnectionLoop(to: "rediss-sentinel://127.0.0.1:\(server.port)#m")
    try loop.turn(until: "a sentinel is asked") {
      if case .lookingUp = $0.connection.state { true } else { false }
    }
    try loop.skipToDeadline()
    try loop.turn(until: "there is an error") { $0.connection.error != nil }
    #expect(loop.connection.error?.description.contains("handshake was not finished") == true)
  }

  /// Lends the port of a sentinel that speaks only TLS, to its clients and to the primary.
  private func withSentinel(of redis: TLSRedis, _ body: (UInt16) throws -> Void) throws {
    try withTemporaryFolder { folder throws in
      let port = try FreePort.take()
      let certificates = redis.certificates
      let lines = [
        "port 0", "tls-port \(port)", "bind 127.0.0.1", "dir \(folder)", "tls-replication yes",
        "tls-auth-clients no", "tls-cert-file \(certificates.path("server"))",
        "tls-key-file \(certificates.key("server"))",
        "tls-ca-cert-file \(certificates.path("authority"))",
        "sentinel monitor m 127.0.0.1 \(redis.port) 1",
      ]
      let file = "\(folder)/sentinel.conf"
      try (lines.joined(separator: "\n") + "\n")
        .write(toFile: file, atomically: true, encoding: .utf8)
      let sentinel = try ChildProcess(
        try RedisProcess.executable(), [file, "--sentinel"], environment: [:], folder: folder)
      defer { sentinel.end() }
      try waitUntil("the sentinel listens") { sentinel.output.contains("monitor master m") }
      try body(port)
    }
  }

  @Test("survives that every byte comes by itself")
  func trickle() throws {
    try withTLSRedis { redis throws in
      let relay = try ByteRelay(to: redis.port)
      defer { relay.end() }
      relay.trouble = .trickle
      var loop = try ConnectionLoop(to: "rediss://127.0.0.1:\(relay.port)", tls: trust(redis))
      for number: Int64 in 1...20 { #expect(try loop.ask("INCR", "n") == number) }
      #expect(loop.connection.error == nil)
    }
  }

  @Test("is lost when it is cut at any byte, of the handshake or after it, and comes back")
  func cut() throws {
    try withTLSRedis { redis throws in
      let relay = try ByteRelay(to: redis.port)
      defer { relay.end() }
      var loop = try ConnectionLoop(to: "rediss://127.0.0.1:\(relay.port)", tls: trust(redis))
      #expect(try loop.ask("INCR", "n") == 1)
      loop.connection.drop(.closed, loop.now)
      try loop.turn(until: "the relay has noticed") { _ in relay.record.ends == 1 }
      let whole = relay.record
      #expect(whole.toServer > 400 && whole.fromServer > 900)
      var cuts: [ByteRelay.Trouble] = []
      for byte in stride(from: 0, to: whole.toServer - 60, by: 7) {
        cuts.append(.cutToServer(byte))
      }
      for byte in stride(from: 0, to: whole.fromServer - 60, by: 7) {
        cuts.append(.cutFromServer(byte))
      }
      for (index, cut) in cuts.enumerated() {
        relay.trouble = cut
        try loop.skip(.seconds(1))
        try loop.turn(until: "it is cut") { loop in
          if case .disconnected = loop.connection.state, relay.record.ends > index + 1 {
            true
          } else {
            false
          }
        }
        #expect(loop.connection.isReady == false)
        try #require(relay.record.ends == index + 2, "\(cut)")
      }
      relay.trouble = nil
      try loop.skip(.seconds(1))
      #expect(try loop.ask("INCR", "n") == 2)
    }
  }

  @Test("carries commands and replies of many records, and commands that the kernel takes in parts")
  func large() throws {
    try withTLSRedis { redis throws in
      var loop = try ConnectionLoop(to: redis.url(), tls: trust(redis))
      let text = String(repeating: "0123456789abcdef", count: 60_000)
      for _ in 0..<3 {
        try loop.turn(until: "ready") { $0.connection.isReady }
        loop.connection.send(Command(["SET", "large", text]), loop.now)
        let reply = try loop.nextReply()
        let answer = reply.text
        #expect(answer == "OK")
        loop.connection.send(Command(["GET", "large"]), loop.now)
        let back = try loop.nextReply()
        let isSame = back.text == text
        #expect(isSame)
      }
      #expect(loop.connection.error == nil)
    }
  }

  @Test("does not end the program when it writes to a server that is gone")
  func brokenPipe() throws {
    try withTLSRedis { redis throws in
      var loop = try ConnectionLoop(to: redis.url(), tls: trust(redis))
      try loop.turn(until: "ready") { $0.connection.isReady }
      redis.plain.crash()
      Thread.sleep(forTimeInterval: 0.05)
      for _ in 0..<3
      where loop.connection.isReady == true && loop.connection.isAwaitingReply == false {
        loop.connection.send(Command(["PING"]), loop.now)
      }
      try loop.turn(until: "lost") { !$0.connection.isReady }
    }
  }
}

/// A server that accepts connections, reads, and says one thing at most.
private final class SilentServer: Sendable {
  let port: UInt16
  private let isEnded = Atomic(false)

  init(saying bytes: [UInt8] = []) throws {
    port = try FreePort.take()
    let listener = try Socket.listen(on: .ipv4(port))
    Thread { [self] in
      var clients: [Socket] = []
      while !isEnded.load(ordering: .relaxed) {
        guard let client = try? listener.accept(within: .milliseconds(20)) else { continue }
        if !bytes.isEmpty { try? client.send(bytes) }
        clients.append(client)
      }
    }.start()
  }

  func end() { isEnded.store(true, ordering: .relaxed) }
}
