import BasicContainers
import Foundation
import Glibc
import System
import Testing

@testable import Redis
@testable import TestSupport

/// A server of TLS that says what the test tells it to, and prints what it is told: `openssl s_server`.
private struct TLSServer {
  let port: UInt16
  private let process: ChildProcess
  private let input: FileHandle

  /// - Parameter flags: those of s_server, besides its port and its certificate.
  init(_ certificates: Certificates, _ certificate: String, _ flags: [String] = []) throws {
    port = try FreePort.take()
    let pipe = "\(certificates.folder)/input-\(port)"
    guard unsafe mkfifo(pipe, 0o600) == 0, let input = FileHandle(forUpdatingAtPath: pipe) else {
      throw NeverHappened(description: "no pipe can be made")
    }
    self.input = input
    process = try ChildProcess(
      "/bin/sh",
      [
        "-c", "exec /usr/bin/openssl \"$@\" <'\(pipe)'", "sh", "s_server", "-accept", "\(port)",
        "-crlf",
      ]
        + ["-cert", certificates.path(certificate), "-key", certificates.key(certificate)] + flags,
      environment: [:], folder: certificates.folder)
    let process = process
    try waitUntil("it listens", within: .seconds(30)) { process.output.contains("ACCEPT") }
  }

  /// Sends a line, or carries out a command of one letter.
  func say(_ line: String) throws { try input.write(contentsOf: Data("\(line)\n".utf8)) }

  var output: String { process.output }

  /// How many messages with new keys it has printed: those that it sent (`>>>`) or received (`<<<`).
  func keyUpdates(_ direction: String) -> Int {
    output.split(separator: "\n").count { $0.hasPrefix(direction) && $0.hasSuffix("KeyUpdate") }
  }

  func end() {
    process.end()
    try? input.close()
  }
}

@Suite("The TLS of a connection to Redis")
struct TLSProtocolTests {
  @Test("names the host to the server, follows a change of keys, and ends with a word")
  func conversation() throws {
    try withTemporaryFolder { folder throws in
      let certificates = try Certificates(in: folder)
      try certificates.issue("named", for: ["DNS:a.redis.test"])
      // The certificate for this name is the second one, which only a client gets that asks for it.
      let server = try TLSServer(
        certificates, "server",
        [
          "-msg", "-tls1_3", "-servername", "a.redis.test", "-cert2", certificates.path("named"),
          "-key2",
          certificates.key("named"),
        ])
      defer { server.end() }
      let resolver = try Resolver { _, port in
        .success([SocketAddress(host: "127.0.0.1", port: port)].compactMap(\.self))
      }
      var loop = try ConnectionLoop(
        to: "rediss://a.redis.test:\(server.port)",
        tls: TLSFiles(authorities: certificates.path("authority")), resolver: resolver)
      try loop.turn(until: "it is greeted") { _ in server.output.contains("PING") }
      try server.say("+PONG")
      try loop.turn(until: "ready") { $0.connection.isReady }
      for number: Int64 in 1...3 {
        loop.connection.send(Command(["INCR", "n"]), loop.now)
        // New keys both ways. What is written behind the letter at the same time would get lost.
        try server.say("K")
        try waitUntil("the server has changed its key", within: .seconds(30)) {
          server.keyUpdates(">>>") == number
        }
        try server.say(":\(number)")
        let reply = try loop.nextReply()
        let answer = reply.integer
        #expect(answer == number)
      }
      #expect(loop.connection.error == nil)
      // The client answers each with new keys of its own, before it writes the next command.
      #expect(server.keyUpdates("<<<") >= 2)
      #expect(!server.output.contains("DONE"))
      loop.connection.drop(.closed, loop.now)
      try waitUntil("the server was told of the end", within: .seconds(30)) {
        server.output.contains("DONE")
      }
    }
  }

  @Test("is lost when the server ends it, with a word or without")
  func end() throws {
    try withTemporaryFolder { folder throws in
      let certificates = try Certificates(in: folder)
      let server = try TLSServer(certificates, "server")
      defer { server.end() }
      var loop = try ConnectionLoop(
        to: "rediss://127.0.0.1:\(server.port)",
        tls: TLSFiles(authorities: certificates.path("authority")))
      try loop.turn(until: "it is greeted") { _ in server.output.contains("PING") }
      try server.say("+PONG")
      try loop.turn(until: "ready") { $0.connection.isReady }
      // The command that ends the connection, but not the server.
      try server.say("q")
      try loop.turn(until: "it is lost") { !$0.connection.isReady }
      #expect(loop.connection.error == .closed)
    }
  }
}
