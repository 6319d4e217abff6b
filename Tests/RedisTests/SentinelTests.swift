import Foundation
import System
import Telemetry
import Testing

@testable import Redis
@testable import TestSupport

/// Lends sentinels of the test's own, and the URL of a Redis that they know as `m`.
private func withSentinels(
  _ answers: FakeSentinel.Answer..., body: ([FakeSentinel], String) throws -> Void
) throws {
  let sentinels = try answers.map { try FakeSentinel($0) }
  defer { for sentinel in sentinels { sentinel.end() } }
  let hosts = sentinels.map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
  try body(sentinels, "redis-sentinel://\(hosts)#m")
}

private func home(_ redis: RedisProcess) -> FakeSentinel.Answer {
  .primary("127.0.0.1", redis.port)
}

@Suite("A connection through sentinels")
struct SentinelTests {
  @Test("leads to the primary, be it told by address or by name, and to its database")
  func found() throws {
    try withRedis { redis throws in
      for host in ["127.0.0.1", "localhost"] {
        try withSentinels(.primary(host, redis.port)) { sentinels, url throws in
          for (url, number) in [
            (url, 1), (url.replacing("127.0.0.1", with: "localhost"), 2),
            (url.replacing("#", with: "/3#"), 1),
          ] {
            var loop = try ConnectionLoop(to: url)
            #expect(try loop.ask("INCR", "n") == Int64(number))
            #expect(loop.connection.error == nil)
          }
          #expect(sentinels[0].asked == 3)
          #expect(
            sentinels[0].commands.first == ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "m"])
        }
        _ = try redis.command("FLUSHALL")
      }
    }
  }

  /// What a sentinel may answer instead of an address, and the reason that is given then.
  static let useless: [(FakeSentinel.Answer, String)] = [
    (.raw("*-1\r\n"), "it does not know m"), (.raw("$-1\r\n"), "it does not know m"),
    (.raw("-IDONTKNOW I am in TILT\r\n"), "IDONTKNOW I am in TILT"),
    (.raw("-NOAUTH Authentication required.\r\n"), "NOAUTH Authentication required."),
    (.raw("-ERR unknown command 'SENTINEL'\r\n"), "ERR unknown command 'SENTINEL'"),
    (.raw("*2\r\n$0\r\n\r\n$4\r\n6379\r\n"), "not understood: no address"),
    (.raw("*2\r\n$1\r\na\r\n$5\r\n65536\r\n"), "not understood: no address"),
    (.raw("*2\r\n$1\r\na\r\n$1\r\n0\r\n"), "not understood: no address"),
    (.raw("*1\r\n$1\r\na\r\n"), "not understood: no address"),
    (.raw("*2\r\n:1\r\n:2\r\n"), "not understood: no address"),
    (.raw("+OK\r\n"), "not understood: no address"),
    (.raw("HTTP/1.1 400\r\n"), "not understood: Protocol error"),
    (.raw("*2147483647\r\n"), "not understood: it has too many elements"),
    (.close, "connection closed"),
  ]

  @Test(
    "asks the next sentinel when one has no answer, and says why when none has", arguments: useless)
  func nextSentinel(_ answer: FakeSentinel.Answer, _ reason: String) throws {
    try withRedis { redis throws in
      try withSentinels(answer, home(redis)) { sentinels, url throws in
        var loop = try ConnectionLoop(to: url)
        #expect(try loop.ask("INCR", "n") == 1)
        #expect(sentinels.map(\.asked) == [1, 1])
        #expect(loop.figures.failed.current == 0)
      }
      try withSentinels(answer) { sentinels, url throws in
        var loop = try ConnectionLoop(to: url)
        try loop.turn(until: "it failed") { $0.connection.error != nil }
        let text = try #require(loop.connection.error?.description)
        let start = "no sentinel tells the primary: 127.0.0.1:\(sentinels[0].port): \(reason)"
        #expect(text.hasPrefix(start), "\(text)")
        sentinels[0].answer(home(redis))
        #expect(try loop.ask("INCR", "n") == 2)
      }
    }
  }

  @Test("gives a sentinel that says nothing, or that cannot be reached, no more than its time")
  func silentSentinel() throws {
    try withRedis { redis throws in
      try withSentinels(.silence, .silence, home(redis)) { sentinels, url throws in
        let nobody = try FreePort.take()
        var loop = try ConnectionLoop(
          to: url.replacing("//", with: "//127.0.0.1:\(nobody),no-such-host.invalid,"))
        loop.stopClock()
        for silent in sentinels.prefix(2) {
          try loop.turn(until: "it is asked") { _ in silent.asked == 1 }
          let rest = loop.connection.deadline - loop.now
          #expect(rest == .seconds(silent === sentinels[0] ? 1 : 2))
          try loop.skipToDeadline()
        }
        #expect(try loop.ask("INCR", "n") == 1)
        #expect(loop.figures.failed.current == 0)
      }
    }
  }

  @Test("names the primary that it cannot reach, for the sentinels can be reached")
  func unreachablePrimary() throws {
    let nobody = try FreePort.take()
    try withSentinels(.primary("127.0.0.1", nobody)) { _, url throws in
      var loop = try ConnectionLoop(to: url)
      #expect(loop.connection.errorText == nil)
      try loop.turn(until: "it failed") { $0.connection.error != nil }
      let text = "its primary 127.0.0.1:\(nobody): Connection refused"
      #expect(loop.connection.errorText == text)
    }
  }

  @Test("names eight reasons at most")
  func manyReasons() throws {
    let hosts = try (0..<10).map { _ in "127.0.0.1:\(try FreePort.take())" }
    var loop = try ConnectionLoop(to: "redis-sentinel://\(hosts.joined(separator: ","))#m")
    try loop.turn(until: "it failed") { $0.connection.error != nil }
    let reasons = hosts.prefix(8).map { "\($0): Connection refused" }.joined(separator: "; ")
    #expect(loop.connection.error == .noPrimary(reasons + "; and 2 more"))
  }

  @Test("is not made to a server that is no primary: the next sentinel is asked")
  func replica() throws {
    try withRedis { primary throws in
      try withRedis(flags: ["--replicaof", "127.0.0.1", "\(primary.port)"]) { replica throws in
        try withSentinels(home(replica), home(primary)) { sentinels, url throws in
          var loop = try ConnectionLoop(to: url)
          try loop.turn(until: "refused") { $0.connection.error != nil }
          #expect(loop.connection.error == .notPrimary(role: "slave"))
          #expect(try loop.ask("INCR", "n") == 1)
          #expect(sentinels.map(\.asked) == [1, 1])
        }
      }
    }
  }

  @Test("is given its own time for a reply, also when a sentinel is pinged meanwhile")
  func deadlines() throws {
    try withRedis { redis throws in
      try withSentinels(home(redis)) { sentinels, url throws in
        var loop = try ConnectionLoop(to: url)
        #expect(try loop.ask("INCR", "n") == 1)
        try loop.turn(until: "it listens") { _ in sentinels[0].listeners == 1 }
        try loop.skip(.milliseconds(900))
        // The reply to what is pipelined does not come.
        #expect(try loop.ask("INCR", "n", pipelining: "BLPOP", "none", "30") == 2)
        try loop.skip(.milliseconds(300))
        #expect(loop.connection.isReady == true)
        #expect(loop.figures.lost.current == 0)
      }
    }
  }

  @Test("moves at once when a switch is announced, though the old primary still answers")
  func announced() throws {
    try withRedis { old throws in
      try withRedis { new throws in
        try withSentinels(home(old)) { sentinels, url throws in
          var loop = try ConnectionLoop(to: url)
          #expect(try loop.ask("INCR", "n") == 1)
          try loop.turn(until: "it listens") { _ in sentinels[0].listeners == 1 }
          let move = "127.0.0.1 \(old.port) 127.0.0.1 \(new.port)"
          for text in ["other \(move)", "m", "", "m \(move)x", "m \(move) x"] {
            sentinels[0].announce(text)
          }
          #expect(try loop.ask("INCR", "n") == 2)
          // A command is under way, and the old primary will not answer.
          old.freeze()
          loop.connection.send(Command(["INCR", "n"]), loop.now)
          loop.stopClock()
          sentinels[0].announce("m \(move)")
          try loop.turn(until: "it has left") { !$0.connection.isAwaitingReply }
          #expect(
            loop.connection.error?.description == "the primary has moved to 127.0.0.1:\(new.port)")
          #expect(try loop.ask("INCR", "n") == 1)
          #expect(sentinels[0].asked == 1)
          old.thaw()
        }
      }
    }
  }

  @Test("that was lost asks again, and again, until the sentinels name a primary that serves")
  func lost() throws {
    try withRedis { old throws in
      try withRedis { new throws in
        try withSentinels(home(old), home(old)) { sentinels, url throws in
          var loop = try ConnectionLoop(to: url)
          #expect(try loop.ask("INCR", "n") == 1)
          old.crash()
          try loop.turn(until: "both were asked again") { _ in
            sentinels[0].asked > 1 && sentinels[1].asked > 0
          }
          sentinels[1].answer(home(new))
          #expect(try loop.ask("INCR", "n") == 1)
        }
      }
    }
  }

  @Test("that is refused a write asks again")
  func readOnly() throws {
    try withRedis { old throws in
      try withRedis { new throws in
        try withSentinels(home(old), home(new)) { sentinels, url throws in
          var loop = try ConnectionLoop(to: url)
          #expect(try loop.ask("INCR", "n") == 1)
          _ = try old.command("REPLICAOF", "127.0.0.1", "\(new.port)")
          try loop.turn(until: "ready") { $0.connection.isReady }
          loop.connection.send(Command(["INCR", "n"]), loop.now)
          let error = try loop.nextReply().error
          #expect(error?.hasPrefix("READONLY") == true)
          // As the program does then.
          loop.connection.drop(.refused("READONLY"), loop.now)
          #expect(try loop.ask("INCR", "n") != nil)
          #expect(try new.command("GET", "n").text != nil)
          #expect(sentinels.map(\.asked) == [2, 1])
        }
      }
    }
  }

  @Test(
    "asks the next sentinel when the one that listens is lost, or says nothing, and moves if it knows better"
  )
  func listenerLost() throws {
    try withRedis { old throws in
      try withRedis { new throws in
        try withSentinels(home(old), home(old), home(new)) { sentinels, url throws in
          var loop = try ConnectionLoop(to: url)
          #expect(try loop.ask("INCR", "n") == 1)
          try loop.turn(until: "it listens") { _ in sentinels[0].listeners == 1 }
          sentinels[0].closeConnections()
          try loop.turn(until: "it listens to the next") { _ in sentinels[1].listeners == 1 }
          #expect(try loop.ask("INCR", "n") == 2)
          #expect(loop.figures.lost.current == 0)
          sentinels[1].answer(.silence)
          for _ in 0..<10 where sentinels[2].asked == 0 {
            try loop.skip(.seconds(1))
            for _ in 0..<10 { _ = try loop.turn() }
          }
          #expect(try loop.ask("INCR", "n") == 1)
          #expect(loop.figures.lost.current == 1)
        }
      }
    }
  }

  @Test("asks with growing pauses when no sentinel lets it listen, and follows what they answer")
  func unheard() throws {
    try withRedis { old throws in
      try withRedis { new throws in
        let answer = FakeSentinel.Answer.unheard("127.0.0.1", old.port)
        try withSentinels(answer, answer) { sentinels, url throws in
          var loop = try ConnectionLoop(to: url)
          #expect(try loop.ask("INCR", "n") == 1)
          let start = Instant.now
          while .now < start + .seconds(1) { _ = try loop.turn() }
          // Pauses of 50 to 100 ms, 100 to 200 ms and so on.
          #expect((2...6).contains(sentinels.map(\.asked).reduce(0, +)))
          #expect(try loop.ask("INCR", "n") == 2)
          for sentinel in sentinels { sentinel.answer(.unheard("127.0.0.1", new.port)) }
          try loop.skip(.seconds(5))
          try loop.turn(until: "it has moved") { $0.figures.connected.current == 2 }
          #expect(try loop.ask("INCR", "n") == 1)
        }
      }
    }
  }

  @Test("stays while all sentinels are away, and listens when they are back")
  func allAway() throws {
    try withRedis { old throws in
      try withRedis { new throws in
        try withSentinels(home(old), home(old)) { sentinels, url throws in
          var loop = try ConnectionLoop(to: url)
          #expect(try loop.ask("INCR", "n") == 1)
          for sentinel in sentinels { sentinel.answer(.close) }
          sentinels[0].closeConnections()
          try loop.turn(until: "all were asked") { _ in
            sentinels[1].asked > 0 && sentinels[0].asked > 1
          }
          #expect(try loop.ask("INCR", "n") == 2)
          #expect(loop.connection.error == nil)
          for sentinel in sentinels { sentinel.answer(home(new)) }
          try loop.turn(until: "it has moved") { $0.figures.connected.current == 2 }
          #expect(try loop.ask("INCR", "n") == 1)
        }
      }
    }
  }

  @Test("that has too few replicas asks the next sentinel, and stays unless that knows better")
  func doubted() throws {
    try withRedis { old throws in
      try withRedis { new throws in
        try withSentinels(home(old), home(old), home(new)) { sentinels, url throws in
          var loop = try ConnectionLoop(to: url)
          #expect(try loop.ask("INCR", "n") == 1)
          loop.connection.doubtPrimary(loop.now)
          try loop.turn(until: "the second listens") { _ in sentinels[1].listeners == 1 }
          #expect(try loop.ask("INCR", "n") == 2)
          loop.connection.doubtPrimary(loop.now)
          try loop.turn(until: "it has moved") { $0.figures.connected.current == 2 }
          #expect(try loop.ask("INCR", "n") == 1)
        }
      }
    }
  }

  @Test("authenticates at the sentinels, with the password that their file holds now")
  func credentials() throws {
    try withRedis { redis throws in
      try withTemporaryFolder { folder throws in
        let sentinel = try FakeSentinel(home(redis), authentication: ["AUTH", "u", "right"])
        defer { sentinel.end() }
        var address = try RedisAddress("redis-sentinel://127.0.0.1:\(sentinel.port)#m")
        var without = try ConnectionLoop(to: address)
        try without.turn(until: "it failed") { $0.connection.error != nil }
        #expect(without.connection.error?.description.contains("NOAUTH") == true)
        address.sentinelCredentials = Credentials(user: "u", password: "wrong")
        address.sentinelCredentials.file = PasswordFile("\(folder)/password")
        var loop = try ConnectionLoop(to: address)
        try loop.turn(until: "it failed") { $0.connection.error != nil }
        let reason = try #require(loop.connection.error?.description)
        #expect(reason.contains("WRONGPASS"))
        #expect(!reason.contains("right") && !reason.contains("wrong"))
        try "right\n".write(toFile: "\(folder)/password", atomically: true, encoding: .utf8)
        #expect(try loop.ask("INCR", "n") == 1)
      }
    }
  }
}
