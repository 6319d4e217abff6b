import BasicContainers
import System
import Foundation
import Synchronization
import Testing

@testable import Redis
@testable import TestSupport

/// A connection and its loop, turned by hand.
private struct ConnectionLoop: ~Copyable {
  var connection: Connection
  private let poller: Poller
  private var events = Events()
  private var skipped = Interval.seconds(0)

  init(
    to url: String, greeting: consuming Command = Command(["PING"]), resolver: Resolver? = nil
  ) throws {
    let poller = try Poller()
    let location = try Location(url)
    let connection = try Connection(
      to: location, timeout: .seconds(1), poller, owner: 3, greeting: greeting,
      resolver: resolver)
    self.poller = poller
    self.connection = connection
  }

  var now: Instant { .now + skipped }

  /// - Returns: the reply to the command, if it came.
  mutating func turn() throws -> Int64? {
    try poller.wait(from: .now, until: .now + .milliseconds(2), &events)
    for index in 0..<events.count { connection.ready(events[index], now) }
    connection.tick(now)
    guard let reply = connection.nextReply(now) else { return nil }
    return reply.integer
  }

  mutating func turn(
    until what: Comment, _ condition: (borrowing ConnectionLoop) -> Bool
  ) throws {
    for _ in 0..<2000 {
      if condition(self) { return }
      _ = try turn()
    }
    Issue.record("never: \(what); failure: \(String(describing: connection.failure))")
  }

  /// - Parameter others: a command that goes along behind it.
  mutating func ask(_ arguments: String..., alongWith others: String...) throws -> Int64? {
    var command = Command(arguments)
    if !others.isEmpty { command.take(along: Command(others)) }
    connection.send(command, now)
    for _ in 0..<2000 {
      if let number = try turn() { return number }
    }
    return nil
  }

  /// Has Redis break it off.
  mutating func loseConnection(_ redis: RedisProcess) throws {
    _ = try redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    try turn(until: "it is lost") { !$0.connection.isReady }
  }

  mutating func skip(_ interval: Interval) throws {
    skipped = skipped + interval
    _ = try turn()
  }
}

/// A name server that knows one name, and keeps the second who asks waiting.
private final class NameServer: Sendable {
  private let count = Mutex(0)
  private let second = DispatchSemaphore(value: 0)

  /// How often it was asked.
  var asked: Int { count.withLock(\.self) }

  func lookUp(_ name: String) -> Resolver.Found {
    let turn = count.withLock { count in
      count += 1
      return count
    }
    if turn == 2 { second.wait() }
    return .success(name == "redis.test" ? ["127.0.0.1"] : [])
  }

  func answerSecond() {
    second.signal()
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
        #expect(loop.connection.failure == nil)
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
        loop.connection.drop(.closed, loop.now, retryAfter: .seconds(60))
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
      try loop.turn(until: "refused") { $0.connection.failure != nil }
      let reason = try #require(loop.connection.failure?.description)
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
      greeting.take(along: Command(["INCR", "n"]))
      greeting.take(along: Command(["INCR", "m"]))
      var loop = try ConnectionLoop(to: redis.url, greeting: greeting)
      try loop.turn(until: "refused") { $0.connection.failure != nil }
      #expect(loop.connection.failure?.description.hasPrefix("ERR value is not an integer") == true)
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
        #expect(try loop.ask("INCR", "n", alongWith: "INCRBY", "m", "10") == count)
      }
      #expect(try loop.ask("GET", "m") == 30)
      #expect(loop.connection.failure == nil)
      _ = try redis.command("SET", "m", "text")
      #expect(try loop.ask("INCR", "n", alongWith: "INCRBY", "m", "10") == 4)
      try loop.turn(until: "it is lost") { !$0.connection.isReady }
      #expect(loop.connection.failure?.description.hasPrefix("ERR value is not an integer") == true)
    }
  }

  @Test("comes back by itself after Redis was gone")
  func reconnect() throws {
    try withRedis(started: false) { redis throws in
      var loop = try ConnectionLoop(to: redis.url)
      try loop.turn(until: "it failed") { $0.connection.failure != nil }
      #expect(loop.connection.failure?.description == "Connection refused")
      try redis.start()
      try loop.turn(until: "ready") { $0.connection.isReady }
      redis.crash()
      try loop.turn(until: "lost") { !$0.connection.isReady }
      try redis.start()
      try loop.turn(until: "ready again") { $0.connection.isReady }
      #expect(try loop.ask("INCR", "n") == 1)
    }
  }

  @Test("gives up on a reply that does not come, and on a Redis that no longer answers pings")
  func silence() throws {
    try withRedis { redis throws in
      var loop = try ConnectionLoop(to: redis.url)
      try loop.turn(until: "ready") { $0.connection.isReady }
      redis.freeze()
      loop.connection.send(Command(["PING"]), loop.now)
      try loop.skip(.milliseconds(1001))
      #expect(loop.connection.failure == .timedOut)
      #expect(loop.connection.isAwaitingReply == false)

      redis.thaw()
      try loop.turn(until: "ready again") { $0.connection.isReady }
      redis.freeze()
      try loop.skip(.milliseconds(1001))
      #expect(loop.connection.isReady == true)
      try loop.skip(.milliseconds(1001))
      #expect(loop.connection.failure == .timedOut)
      redis.thaw()
    }
  }

  @Test("goes back to where Redis was while a name server says nothing, and asks it once at a time")
  func slowLookUp() throws {
    try withRedis { redis throws in
      let names = NameServer()
      let resolver = try Resolver { names.lookUp($0) }
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
      try waitUntil("the answer came") { try loop.turn() == nil && !loop.connection.isLookingUp }
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
      let resolver = try Resolver { names.lookUp($0) }
      var loop = try ConnectionLoop(to: "redis://redis.test:\(redis.port)", resolver: resolver)
      try loop.turn(until: "ready") { $0.connection.isReady }
      redis.crash()
      try loop.turn(until: "it is lost") { !$0.connection.isReady }
      try loop.skip(.seconds(1))
      try loop.skip(.seconds(1))
      try loop.turn(until: "nobody is where it was") {
        $0.connection.failure?.description == "Connection refused"
      }
      // From here to the next turn it waits to try again; the answer comes meanwhile.
      names.answerSecond()
      try redis.start()
      try loop.turn(until: "ready again") { $0.connection.isReady }
      #expect(names.asked == 2)
    }
  }

  @Test("says when a host is unknown or nobody listens")
  func unreachable() throws {
    var unknown = try ConnectionLoop(to: "redis://no-such-host.invalid")
    try unknown.turn(until: "it failed") { $0.connection.failure != nil }
    guard case .unknownHost = unknown.connection.failure else {
      Issue.record("\(String(describing: unknown.connection.failure))")
      return
    }
    var missing = try ConnectionLoop(to: "unix:/nowhere/redis.sock")
    try missing.turn(until: "it failed") { $0.connection.failure != nil }
    #expect(missing.connection.failure?.description == "No such file or directory")
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
    for number: UInt64 in [0, 9, 10, .max] { command.append(number) }
    #expect(
      text(command) == "*4\r\n$1\r\n0\r\n$1\r\n9\r\n$2\r\n10\r\n$20\r\n18446744073709551615\r\n")
  }
}
