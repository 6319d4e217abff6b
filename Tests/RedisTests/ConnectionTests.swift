import BasicContainers
import System
import Foundation
import Synchronization
import Testing

@testable import Redis
@testable import TestSupport

private func addresses(_ hosts: String..., port: UInt16) -> [SocketAddress] {
  hosts.compactMap { SocketAddress(host: $0, port: port) }
}

/// A name server that knows one name, and keeps the second who asks waiting.
private final class NameServer: Sendable {
  private let count = Mutex(0)
  private let second = DispatchSemaphore(value: 0)

  /// How often it was asked.
  var asked: Int { count.withLock(\.self) }

  func lookUp(_ name: String, port: UInt16) -> Resolver.Found {
    let turn = count.withLock { count in
      count += 1
      return count
    }
    if turn == 2 { second.wait() }
    return .success(name == "redis.test" ? addresses("127.0.0.1", port: port) : [])
  }

  func answerSecond() {
    second.signal()
  }
}

/// A server that answers the greeting, and closes the connection on what comes next.
private final class FlappingServer: Sendable {
  let port: UInt16
  private let isEnded = Atomic(false)

  /// - Parameter greeting: the bytes that the greeting is answered with.
  init(saying greeting: String = "+PONG\r\n") throws {
    port = try FreePort.take()
    let listener = try Socket.listen(on: .ipv4(port))
    Thread { [self] in
      while !isEnded.load(ordering: .relaxed) {
        guard let client = try? listener.accept(within: .milliseconds(20)) else { continue }
        _ = try? client.receive()
        try? client.send(Array(greeting.utf8))
        _ = try? client.receive()
      }
    }.start()
  }

  func end() {
    isEnded.store(true, ordering: .relaxed)
  }
}

@Suite("A connection to Redis")
struct ConnectionTests {
  @Test("carries a command over TCP, by address and by name, and over a socket")
  func transports() throws {
    try withRedis { redis throws in
      for url in [redis.url, "redis://localhost:\(redis.port)", "unix:\(redis.socketPath)"] {
        var loop = try ConnectionLoop(to: url)
        try loop.turn(until: "ready") { $0.connection.isReady }
        _ = try redis.command("SET", "n", "41")
        #expect(try loop.ask("INCR", "n") == 42)
        #expect(loop.connection.error == nil)
      }
    }
  }

  @Test("is not held open by a program that is started meanwhile")
  func notInherited() throws {
    try withRedis { redis throws in
      var loop = try ConnectionLoop(to: redis.url)
      try loop.turn(until: "ready") { $0.connection.isReady }
      try withTemporaryFolder { folder throws in
        let child = try ChildProcess("/bin/sleep", ["60"], environment: [:], folder: folder)
        defer { child.end() }
        try waitUntil("it runs") {
          let name = try? String(contentsOfFile: "/proc/\(child.id)/comm", encoding: .utf8)
          return name == "sleep\n"
        }
        loop.connection.drop(.closed, loop.now)
        try waitUntil("Redis sees nobody but the suite") {
          let list = try redis.command("CLIENT", "LIST").text ?? ""
          return list.split(separator: "\n").count == 1
        }
      }
    }
  }

  @Test("is let in with the password, and selects the database")
  func greeting() throws {
    try withRedis(password: "p@:/ ss") { redis throws in
      _ = try redis.command("ACL", "SETUSER", "u", "on", ">secret", "~*", "+@all")
      let encoded = "p%40%3A%2F%20ss"
      for credentials in [":\(encoded)", "u:secret"] {
        var loop = try ConnectionLoop(to: "redis://\(credentials)@127.0.0.1:\(redis.port)/3")
        try loop.turn(until: "ready") { $0.connection.isReady }
        _ = try loop.ask("DEL", "n")
        #expect(try loop.ask("INCR", "n") == 1)
        #expect(try redis.command("EXISTS", "n") == .integer(0))
      }
    }
  }

  @Test(
    "says why it is not let in, without the password, and tries again",
    arguments: [("", "NOAUTH"), (":wrong@", "WRONGPASS")])
  func refused(_ credentials: String, _ kind: String) throws {
    try withRedis(password: "right") { redis throws in
      var loop = try ConnectionLoop(to: "redis://\(credentials)127.0.0.1:\(redis.port)")
      try loop.turn(until: "refused") { $0.connection.error != nil }
      let reason = try #require(loop.connection.error?.description)
      #expect(reason.hasPrefix(kind))
      #expect(!reason.contains("wrong@"))
      #expect(loop.connection.isReady == false)
      let password = credentials.isEmpty ? "" : "wrong"
      _ = try redis.command("CONFIG", "SET", "requirepass", password)
      try loop.skip(.seconds(2))
      try loop.turn(until: "ready") { $0.connection.isReady }
    }
  }

  @Test("is ready when Redis has carried out the whole greeting, on every connection")
  func wholeGreeting() throws {
    try withRedis { redis throws in
      _ = try redis.command("SET", "m", "text")
      var greeting = Command(["PING"])
      greeting.pipeline(Command(["INCR", "n"]))
      greeting.pipeline(Command(["INCR", "m"]))
      var loop = try ConnectionLoop(to: redis.url, greeting: greeting)
      try loop.turn(until: "refused") { $0.connection.error != nil }
      #expect(loop.connection.error?.description.hasPrefix("ERR value is not an integer") == true)
      #expect(loop.connection.isReady == false)
      _ = try redis.command("MSET", "m", "0", "n", "0")
      try loop.skip(.seconds(1))
      for count: Int64 in [1, 2] {
        try loop.turn(until: "ready") { $0.connection.isReady }
        #expect(try loop.ask("GET", "n") == count)
        #expect(try loop.ask("GET", "m") == count)
        if count == 1 { try loop.loseConnection(redis) }
      }
    }
  }

  @Test("keeps what goes along with a command to itself, and ends when Redis refuses that")
  func companion() throws {
    try withRedis { redis throws in
      var loop = try ConnectionLoop(to: redis.url)
      try loop.turn(until: "ready") { $0.connection.isReady }
      for count: Int64 in 1...3 {
        #expect(try loop.ask("INCR", "n", pipelining: "INCRBY", "m", "10") == count)
      }
      #expect(try loop.ask("GET", "m") == 30)
      #expect(loop.connection.error == nil)
      _ = try redis.command("SET", "m", "text")
      #expect(try loop.ask("INCR", "n", pipelining: "INCRBY", "m", "10") == 4)
      try loop.turn(until: "it is lost") { !$0.connection.isReady }
      #expect(loop.connection.error?.description.hasPrefix("ERR value is not an integer") == true)
    }
  }

  @Test("lends the bytes of a reply, the empty ones of an integer among them")
  func bytes() throws {
    try withRedis { redis throws in
      var loop = try ConnectionLoop(to: redis.url)
      for (arguments, expected) in [
        (["ECHO", "a\r\nb"], "a\r\nb"), (["ECHO", ""], ""), (["DBSIZE"], ""),
      ] {
        try loop.turn(until: "ready") { $0.connection.isReady }
        loop.connection.send(Command(arguments), loop.now)
        let reply = try loop.nextReply()
        let bytes = reply.bytes
        #expect((0..<bytes.count).map { bytes[$0] } == Array(expected.utf8))
      }
    }
  }

  @Test("comes back by itself after Redis was gone")
  func reconnect() throws {
    try withRedis(started: false) { redis throws in
      var loop = try ConnectionLoop(to: redis.url)
      try loop.turn(until: "it failed") { $0.connection.error != nil }
      #expect(loop.connection.error?.description == "Connection refused")
      try redis.start()
      try loop.turn(until: "ready") { $0.connection.isReady }
      redis.crash()
      try loop.turn(until: "lost") { !$0.connection.isReady }
      try redis.start()
      try loop.turn(until: "ready again") { $0.connection.isReady }
      #expect(try loop.ask("INCR", "n") == 1)
    }
  }

  @Test("is dropped when a reply does not come, and when Redis does not answer a ping")
  func silence() throws {
    try withRedis { redis throws in
      var loop = try ConnectionLoop(to: redis.url)
      try loop.turn(until: "ready") { $0.connection.isReady }
      redis.freeze()
      loop.connection.send(Command(["PING"]), loop.now)
      try loop.skip(.milliseconds(900))
      #expect(loop.connection.isAwaitingReply == true)
      try loop.skipToDeadline()
      #expect(loop.connection.error == .timedOut)
      #expect(loop.connection.isAwaitingReply == false)

      redis.thaw()
      try loop.turn(until: "ready again") { $0.connection.isReady }
      redis.freeze()
      try loop.skipToDeadline()
      #expect(loop.connection.isReady == true, "a ping was sent")
      try loop.skipToDeadline()
      #expect(loop.connection.error == .timedOut)
      redis.thaw()
    }
  }

  @Test(
    "gives up connecting, a greeting and a command each after a time-out of its own, which doubles")
  func timeouts() throws {
    try withRedis { redis throws in
      redis.freeze()
      var loop = try ConnectionLoop(to: redis.url, limit: .seconds(5))
      loop.stopClock()
      for expected: Int64 in [1000, 2000, 4000, 5000, 5000] {
        try loop.turn(until: "it is connected and greets") {
          if case .greeting = $0.connection.state { true } else { false }
        }
        #expect(loop.connection.deadline - loop.now == .milliseconds(expected))
        try loop.skipToDeadline()
        #expect(loop.connection.error == (expected < 5000 ? .timedOut : .tooSlow(.seconds(5))))
        try loop.skipToDeadline()
      }
      redis.thaw()
      try loop.turn(until: "ready") { $0.connection.isReady }
    }
  }

  @Test("waits longer and longer for a Redis that greets and closes on each command")
  func flapping() throws {
    let server = try FlappingServer()
    defer { server.end() }
    var loop = try ConnectionLoop(to: "redis://127.0.0.1:\(server.port)")
    loop.stopClock()
    for expected: Int64 in [10, 20, 40, 80, 160, 320, 500, 500] {
      try loop.turn(until: "ready") { $0.connection.isReady }
      loop.connection.send(Command(["INCR", "n"]), loop.now)
      try loop.turn(until: "lost") { !$0.connection.isReady }
      let wait = loop.connection.deadline - loop.now
      #expect(wait >= .milliseconds(expected / 2) && wait <= .milliseconds(expected))
      #expect(loop.connection.error == .closed)
      try loop.skipToDeadline()
    }
  }

  @Test("waits as long as at first again after Redis has executed a command")
  func shortestWait() throws {
    try withRedis { redis throws in
      var loop = try ConnectionLoop(to: redis.url)
      var wait = Interval.seconds(0)
      loop.stopClock()
      for _ in 0..<8 {
        try loop.turn(until: "ready") { $0.connection.isReady }
        loop.connection.drop(.refused("OOM"), loop.now)
        #expect(loop.connection.error == .refused("OOM"))
        wait = loop.connection.deadline - loop.now
        try loop.skipToDeadline()
      }
      #expect(wait > .milliseconds(200))
      #expect(try loop.ask("INCR", "n") == 1)
      loop.connection.drop(.closed, loop.now)
      #expect(loop.connection.deadline - loop.now <= .milliseconds(10))
      loop.connection.retryNow(loop.now)
      #expect(loop.connection.deadline <= loop.now)
    }
  }

  @Test("tries the second address of a name when the first refuses")
  func secondAddress() throws {
    try withRedis { redis throws in
      let resolver = try Resolver { _, port in
        .success(addresses("127.0.0.2", "127.0.0.1", port: port))
      }
      var loop = try ConnectionLoop(to: "redis://redis.test:\(redis.port)", resolver: resolver)
      try loop.turn(until: "ready") { $0.connection.isReady }
      #expect(try loop.ask("INCR", "n") == 1)
    }
  }

  @Test(
    "goes back to where Redis was when no name server can be reached, but not when the name is gone"
  )
  func failingLookUp() throws {
    try withRedis { redis throws in
      let count = Atomic(0)
      let resolver = try Resolver { _, port in
        switch count.add(1, ordering: .relaxed).newValue {
        case 1: .success(addresses("127.0.0.1", port: port))
        case 2: .failure(AddressError("try again", isTemporary: true))
        default: .failure(AddressError("no such name"))
        }
      }
      var loop = try ConnectionLoop(to: "redis://redis.test:\(redis.port)", resolver: resolver)
      try loop.turn(until: "ready") { $0.connection.isReady }
      try loop.loseConnection(redis)
      try loop.skip(.seconds(1))
      try loop.turn(until: "ready again") { $0.connection.isReady }
      #expect(try loop.ask("INCR", "n") == 1)
      try loop.loseConnection(redis)
      try loop.skip(.seconds(1))
      try loop.turn(until: "the name is unknown") {
        $0.connection.error == .unknownHost("no such name")
      }
      #expect(loop.connection.isReady == false)
    }
  }

  @Test("goes back to where Redis was while a name server says nothing, and asks it once at a time")
  func slowLookUp() throws {
    try withRedis { redis throws in
      let names = NameServer()
      let resolver = try Resolver { names.lookUp($0, port: $1) }
      var loop = try ConnectionLoop(to: "redis://redis.test:\(redis.port)", resolver: resolver)
      try loop.turn(until: "ready") { $0.connection.isReady }
      for count: Int64 in 1...2 {
        try loop.loseConnection(redis)
        try loop.skip(.seconds(1))
        #expect(loop.connection.isReady == false, "it waits for the name server first")
        try loop.skip(.seconds(1))
        try loop.turn(until: "ready again") { $0.connection.isReady }
        #expect(try loop.ask("INCR", "n") == count)
      }
      #expect(names.asked == 2)

      names.answerSecond()
      try waitUntil("the answer came") {
        try loop.turn() == nil && !loop.connection.locator.isLookingUp
      }
      #expect(loop.connection.isReady == true)
      try loop.loseConnection(redis)
      try loop.skip(.seconds(1))
      try loop.turn(until: "ready at once") { $0.connection.isReady }
      #expect(names.asked == 3)
    }
  }

  @Test("tries what a late name server says, and does not ask it again for that")
  func lateLookUp() throws {
    try withRedis { redis throws in
      let names = NameServer()
      let resolver = try Resolver { names.lookUp($0, port: $1) }
      var loop = try ConnectionLoop(to: "redis://redis.test:\(redis.port)", resolver: resolver)
      try loop.turn(until: "ready") { $0.connection.isReady }
      redis.crash()
      try loop.turn(until: "it is lost") { !$0.connection.isReady }
      try loop.skip(.seconds(1))
      try loop.skip(.seconds(1))
      try loop.turn(until: "nobody is where it was") {
        $0.connection.error?.description == "Connection refused"
      }
      // From here to the next turn it waits to try again; the answer comes meanwhile.
      names.answerSecond()
      try redis.start()
      try loop.turn(until: "ready again") { $0.connection.isReady }
      #expect(names.asked == 2)
    }
  }

  @Test("refuses to read what is not the protocol, and a reply that nobody asked for")
  func malformed() throws {
    for (bytes, reason) in [
      ("HTTP/1.1 400\r\n", "not understood: Protocol error"),
      ("*2147483647\r\n", "not understood: it has too many elements"),
      ("*1\r\n*262145\r\n", "not understood: it has too many elements"),
      ("+PONG\r\n+PONG\r\n", "not understood: a reply to nothing"),
      ("-ERR max number of clients reached\r\n", "ERR max number of clients reached"),
    ] {
      let server = try FlappingServer(saying: bytes)
      defer { server.end() }
      var loop = try ConnectionLoop(to: "redis://127.0.0.1:\(server.port)")
      try loop.turn(until: "it failed") { $0.connection.error != nil }
      #expect(loop.connection.error?.description.hasPrefix(reason) == true)
    }
  }

  @Test("keeps the first 512 bytes of an error")
  func longError() throws {
    let server = try FlappingServer(saying: "-ERR \(String(repeating: "x", count: 1000))\r\n")
    defer { server.end() }
    var loop = try ConnectionLoop(to: "redis://127.0.0.1:\(server.port)")
    try loop.turn(until: "it failed") { $0.connection.error != nil }
    let text = "ERR " + String(repeating: "x", count: 508)
    #expect(loop.connection.error == .refused(text))
    #expect(loop.connection.errorText == text)
  }

  @Test("says when a host is unknown or nobody listens")
  func unreachable() throws {
    var unknown = try ConnectionLoop(to: "redis://no-such-host.invalid")
    try unknown.turn(until: "it failed") { $0.connection.error != nil }
    guard case .unknownHost = unknown.connection.error else {
      Issue.record("\(String(describing: unknown.connection.error))")
      return
    }
    var missing = try ConnectionLoop(to: "unix:/nowhere/redis.sock")
    try missing.turn(until: "it failed") { $0.connection.error != nil }
    #expect(missing.connection.error?.description == "No such file or directory")
  }
}

@Suite("A command")
struct CommandTests {
  private func text(_ command: borrowing Command) -> String {
    String(decoding: (0..<command.bytes.count).map { command.bytes[$0] }, as: UTF8.self)
  }

  @Test("is an array of bulk strings, their lengths in bytes")
  func bytes() {
    #expect(text(Command(["GET", "é", ""])) == "*3\r\n$3\r\nGET\r\n$2\r\né\r\n$0\r\n\r\n")
    var command = Command(argumentCount: 4)
    for number: Int64 in [0, -9, 10, .max] { command.append(number) }
    #expect(
      text(command) == "*4\r\n$1\r\n0\r\n$2\r\n-9\r\n$2\r\n10\r\n$19\r\n9223372036854775807\r\n")
  }
}
