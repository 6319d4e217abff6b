import BasicContainers
import Redis
import System
import Synchronization
import Telemetry
import Testing

@testable import Counting
@testable import TestSupport

@Suite("What nodes of a Redis Cluster answer about slots")
struct RedirectionTests {
  @Test(
    "is understood",
    arguments: [
      ("MOVED 3999 127.0.0.1:6381", Redirection.moved(to: .tcp(host: "127.0.0.1", port: 6381))),
      ("MOVED 1 redis-2.example:1", .moved(to: .tcp(host: "redis-2.example", port: 1))),
      ("MOVED 1 ::1:7000", .moved(to: .tcp(host: "::1", port: 7000))),
      ("MOVED 1 :7000", .moved(to: .tcp(host: "asked", port: 7000))),
      ("MOVED 1 ?:7000", .moved(to: .tcp(host: "asked", port: 7000))),
      ("ASK 1 10.0.0.1:7000", .ask(.tcp(host: "10.0.0.1", port: 7000))),
      ("TRYAGAIN Multiple keys request during rehashing of slot", .split),
      ("ERR Script attempted to access a non local key in a cluster node", .split),
      ("CLUSTERDOWN The cluster is down", .notServed),
      ("LOADING Redis is loading the dataset in memory", .notServed),
    ])
  func understood(_ error: String, _ redirection: Redirection) {
    #expect(Redirection(error, from: .tcp(host: "asked", port: 1)) == redirection)
  }

  @Test(
    "is nothing else",
    arguments: [
      "", "MOVED", "MOVED 1", "MOVED 1 a", "MOVED 1 a:0", "MOVED 1 a:65536", "MOVED 1 a:1 b",
      "MOVEDx 1 a:1", "OOM command not allowed", "NOSCRIPT No matching script",
    ])
  func nothingElse(_ error: String) {
    #expect(Redirection(error, from: .tcp(host: "asked", port: 1)) == nil)
    #expect(Redirection("MOVED 1 :7000", from: .unix(path: "/a")) == nil)
  }

  private static func isOfHits(_ command: [String]) -> Bool {
    command.contains { $0.hasPrefix("{hits}") }
  }

  @Test("is followed: MOVED, with the registration first; and the batch is the same")
  func moved() throws {
    let other = try FakeNode { _, _ in nil }
    defer { other.end() }
    let port = other.port
    let first = try FakeNode { command, _ in
      command[0] == "EVAL" || command[0] == "EVALSHA" ? "-MOVED 1 127.0.0.1:\(port)\r\n" : nil
    }
    defer { first.end() }
    var loop = try CountingLoop(url: first.url)
    loop.count(1)
    try loop.turn(untilAnswered: 1)
    #expect(loop.numbers == [1])
    #expect(first.batches == [])
    try waitUntil("the rest has arrived") { other.received.filter(Self.isOfHits).count == 3 }
    let commands = other.received.filter(Self.isOfHits)
    #expect(commands.map { $0[0] } == ["EVAL", "EVALSHA", "PEXPIRE"])
    #expect(other.received.first == ["READWRITE"])
  }

  @Test("is followed: ASK, for that one batch, and nothing is sent that makes a key there")
  func asked() throws {
    let target = try FakeNode { _, _ in nil }
    defer { target.end() }
    let port = target.port
    let isMoving = Mutex(true)
    let source = try FakeNode { command, _ in
      let isAsked = command[0] == "EVALSHA" && isMoving.withLock { $0 }
      return isAsked ? "-ASK 1 127.0.0.1:\(port)\r\n" : nil
    }
    defer { source.end() }
    var loop = try CountingLoop(url: source.url)
    loop.count(1)
    try loop.turn(untilAnswered: 1)
    try waitUntil("the rest has arrived") { target.received.count == 8 }
    let words = target.received.map { $0[0] }
    #expect(
      words == [
        "READWRITE", "PING", "ASKING", "EVAL", "ASKING", "EVALSHA", "ASKING", "PEXPIRE",
      ])
    #expect(target.received.first { $0[0] == "EVAL" }?[1] == RenewalScript.text)
    #expect(target.batches == source.batches)
    isMoving.withLock { $0 = false }
    try loop.turn()
    loop.count(2)
    try loop.turn(untilAnswered: 2)
    #expect(source.batches.count == 2)
    #expect(target.batches.count == 1)
  }

  @Test(
    "is waited out: the same batch is sent again, with a pause that grows",
    arguments: ["TRYAGAIN for a moment", "CLUSTERDOWN for a moment", "LOADING for a moment"])
  func waited(_ error: String) throws {
    let refusals = Mutex(5)
    let node = try FakeNode { command, _ in
      guard command[0] == "EVALSHA" else { return nil }
      let isRefused = refusals.withLock { count in
        count -= 1
        return count >= 0
      }
      return isRefused ? "-\(error)\r\n" : nil
    }
    defer { node.end() }
    var loop = try CountingLoop(url: node.url + ",127.0.0.1:\(node.port)")
    loop.count(1)
    try loop.turn(untilAnswered: 1)
    #expect(loop.numbers == [1])
    #expect(node.batches.count == 6)
    #expect(Set(node.batches).count == 1)
    #expect(loop.counting.lastError == nil)
  }

  @Test("is not followed without end when two nodes send to each other")
  func circle() throws {
    let ports = Mutex<[UInt16]>([])
    let answer: @Sendable ([String], FakeNode) -> String? = { command, node in
      guard command[0] == "EVAL" || command[0] == "EVALSHA" else { return nil }
      let other = ports.withLock { $0.first { $0 != node.port } } ?? 1
      return "-MOVED 1 127.0.0.1:\(other)\r\n"
    }
    let nodes = [try FakeNode(answer), try FakeNode(answer)]
    defer { for node in nodes { node.end() } }
    ports.withLock { $0 = nodes.map(\.port) }
    var loop = try CountingLoop(url: nodes[0].url, timeout: .seconds(2))
    loop.count(1)
    try loop.turn(untilAnswered: 1)
    #expect(loop.results == [.unavailable])
    let count = nodes.map(\.received.count).reduce(0, +)
    // 17 writers: at first at once, and then with a pause of half a second in the end.
    #expect(count < 17 * 40)
    #expect(loop.counting.lastError?.hasPrefix("MOVED") == true)
  }

  @Test(
    "is no answer to a visit before enough replicas have its batch, which is sent again as it was")
  func unconfirmed() throws {
    let node = try FakeNode { command, node in
      command[0] == "WAIT" && node.batches.count < 3 ? ":0\r\n" : nil
    }
    defer { node.end() }
    var loop = try CountingLoop(url: node.url, minReplicas: 1)
    loop.count(1)
    try loop.turn(until: "the batch is sent again") { _ in node.batches.count == 2 }
    #expect(loop.outcomes.isEmpty == true)
    try loop.turn(untilAnswered: 1)
    #expect(loop.numbers == [1])
    #expect(loop.figures.unconfirmed.current == 2)
    #expect(node.batches.count == 3)
    #expect(Set(node.batches).count == 1)
  }

  @Test("leads to 64 nodes at most")
  func mostNodes() throws {
    let port = Mutex(1)
    let node = try FakeNode { command, _ in
      guard command[0] == "EVAL" || command[0] == "EVALSHA" else { return nil }
      let next = port.withLock { port in
        port += 1
        return port
      }
      // Nobody listens there.
      return "-MOVED 1 127.0.0.9:\(next)\r\n"
    }
    defer { node.end() }
    var loop = try CountingLoop(url: node.url)
    let isReached = { (loop: borrowing CountingLoop) in
      port.withLock { $0 > 100 } && loop.counting.cluster?.nodes.count == Limits.nodes
    }
    try loop.turn(until: "more nodes are named", isReached)
    for _ in 0..<100 { try loop.turn() }
    let count = loop.counting.cluster?.nodes.count
    #expect(count == Limits.nodes)
    loop.count(1)
    try loop.skip(.seconds(6))
    try loop.turn(untilAnswered: 1)
    #expect(loop.results == [.unavailable])
  }

  @Test("keeps no more visits waiting than one Redis does")
  func mostVisits() throws {
    // It never answers a batch.
    let node = try FakeNode { command, _ in command[0] == "EVALSHA" ? "" : nil }
    defer { node.end() }
    var loop = try CountingLoop(url: node.url, timeout: .seconds(60))
    try loop.turn(until: "it is a cluster") { $0.counting.isConnected }
    for _ in 0..<2 {
      for ticket in 0..<UInt128(Limits.waitingVisits) {
        guard loop.counting.visit(ticket) else { throw NeverHappened(description: "refused") }
      }
      try loop.turn()
    }
    try loop.turn(until: "the others are refused") { $0.outcomes.count >= Limits.waitingVisits }
    let waiting = loop.figures.waiting.current
    #expect(waiting == Limits.waitingVisits)
    #expect(loop.outcomes.count == Limits.waitingVisits)
    #expect(loop.numbers.allSatisfy { $0 == -1 })
  }

  @Test("is not believed of a server that is no node of a cluster")
  func noCluster() throws {
    try withRedis { redis throws in
      try withRedis { other throws in
        var loop = try CountingLoop(
          url: redis.url + ",127.0.0.1:\(other.port)", timeout: .seconds(1))
        loop.count(1)
        try loop.turn(untilAnswered: 1)
        #expect(loop.results == [.unavailable])
        let error = loop.counting.redisError?.description ?? ""
        #expect(error.contains("cluster support disabled"))
        #expect(try redis.hits == nil)
        #expect(try other.hits == nil)
      }
    }
  }

  @Test("knows no script: its text is sent")
  func unknownScript() throws {
    let node = try FakeNode { command, _ in
      switch command[0] {
      case "EVALSHA": "-NOSCRIPT No matching script\r\n"
      case "EVAL" where command[1] == BatchScript.exactlyOnce.text: FakeNode.ok(7)
      default: nil
      }
    }
    defer { node.end() }
    var loop = try CountingLoop(url: node.url)
    loop.count(1)
    try loop.turn(untilAnswered: 1)
    #expect(loop.numbers == [7])
  }

  @Test("refuses what the user may not do: counters with names, and `/` counts on")
  func forbidden() throws {
    let node = try FakeNode { command, _ in
      let isNamed = command.contains { $0.hasPrefix("{") && $0.dropFirst().first?.isNumber == true }
      return isNamed ? "-NOPERM no permissions\r\n" : nil
    }
    defer { node.end() }
    var loop = try CountingLoop(url: node.url)
    loop.count(1)
    try loop.turn(untilAnswered: 1)
    #expect(loop.numbers == [1])
    try loop.turn(until: "the rest is refused") { $0.counting.lastError != nil }
    let isTaken = loop.counting.visit(2, Array("a/b".utf8).span, .hit)
    #expect(!isTaken)
    #expect(loop.counting.isConnected == true)
  }
}
