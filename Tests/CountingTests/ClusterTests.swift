import Redis
import System
import Telemetry
import Testing

@testable import Counting
@testable import TestSupport

@Suite("A Redis Cluster", .serialized)
struct ClusterTests {
  /// A name in each bucket.
  private static let names: [String] = {
    let names = Dictionary(grouping: (0..<1000).map { "a/\($0)" }) {
      CounterName.bucket(Array($0.utf8).span)
    }
    return (0..<CounterName.buckets).compactMap { names[$0]?.first }
  }()

  private func bucket(_ name: String) -> UInt16 { CounterName.bucket(Array(name.utf8).span) }

  /// One visit of `/` and one of each name, with tickets from a number on.
  private func visitAll(_ loop: inout CountingLoop, from ticket: UInt128) throws {
    loop.count(ticket)
    for (index, name) in Self.names.enumerated() {
      loop.visit(ticket + 1 + UInt128(index), name)
    }
  }

  @Test("is recognized at one of its nodes, and counts in all buckets", arguments: 0..<3)
  func recognized(_ node: Int) throws {
    try withRedisCluster { cluster throws in
      var loop = try CountingLoop(url: cluster.nodes[node].url)
      for round in 1...3 {
        try loop.turn()
        try visitAll(&loop, from: 0)
        try loop.turn(untilAnswered: 17 * round)
      }
      #expect(loop.numbers.sorted() == [1, 2, 3].flatMap { Array(repeating: $0, count: 17) })
      try loop.turn(until: "all nodes are there") { $0.counting.isConnected }
      #expect(loop.counting.partialOutage == nil)
      #expect(try cluster.command(at: "hits", "GET", "hits") == .text("3"))
      for name in Self.names {
        let key = counterKey(name)
        #expect(try cluster.command(at: key, "GET", key) == .text("3"))
        let size = "{\(bucket(name))}:counters"
        #expect(try cluster.command(at: size, "GET", size) == .text("1"))
      }
      let redis = loop.figures.redis
      #expect(redis.connected.current - redis.lost.current == 1)
      let connections = try cluster.nodes.map { node in
        let clients = try node.command("CLIENT", "LIST", "TYPE", "normal").text ?? ""
        return clients.split(separator: "\n").count {
          $0.contains("cmd=eval") || $0.contains("cmd=pexpire")
        }
      }
      #expect(connections.allSatisfy { $0 == 1 }, "one connection a node")
    }
  }

  @Test("does everything that one Redis does")
  func everything() throws {
    try withRedisCluster { cluster throws in
      var loop = try CountingLoop(url: cluster.url, mostCounters: 32, surveyInterval: .seconds(1))
      try loop.connect()
      let name = Self.names[5]
      try loop.turn()
      loop.visit(1, name, .read)
      loop.visit(2, name, .create(7))
      loop.visit(3, name, .create(8))
      loop.addOnce(4, name, 5, "key")
      loop.addOnce(5, name, 5, "key")
      loop.visit(6, name, .set(-3))
      loop.visit(7, name, .remove)
      loop.visit(8, name, .read)
      try loop.turn(untilAnswered: 8)
      #expect(
        loop.results == [
          .absent, .created(7), .exists(7), .number(12), .replayed(12), .number(-3), .number(-3),
          .absent,
        ])
      // A bucket has a sixteenth of all counters.
      let others = (0..<1000).map { "b/\($0)" }.filter { bucket($0) == bucket(name) }.prefix(3)
      for (index, other) in others.enumerated() { loop.visit(UInt128(10 + index), other) }
      try loop.turn(untilAnswered: 11)
      #expect(loop.results.suffix(3) == [.number(1), .number(1), .tooManyCounters])
      try loop.skip(.seconds(2))
      try loop.turn(until: "it is surveyed") { $0.counting.survey?.counters == 2 }
    }
  }

  @Test("gives each bucket a share of all counters, and all of them together no more")
  func shares() {
    for most in [0, 1, 15, 16, 17, 100_000, 100_003] {
      let shares = (0..<16).map { Cluster.share(of: most, bucket: $0) }
      #expect(shares.reduce(0, +) == most)
      #expect(shares.allSatisfy { abs($0 - most / 16) <= 1 })
    }
  }

  @Test("is listed bucket by bucket")
  func lists() throws {
    try withRedisCluster { cluster throws in
      var loop = try CountingLoop(url: cluster.url)
      var expected: Set<String> = []
      for number in 0..<60 {
        loop.visit(UInt128(number), "list/\(number)")
        loop.visit(UInt128(number), "other/\(number)")
        expected.insert("\(number)")
      }
      try loop.turn(untilAnswered: 120)
      var found: [String] = []
      var cursor: UInt64 = 0
      repeat {
        let count = loop.pages.count
        loop.list(1, "list", cursor: cursor)
        try loop.turn(until: "the page is there") { $0.pages.count > count }
        let page = try #require(loop.pages.last)
        found += try #require(page.counters).map(\.key)
        cursor = page.cursor
      } while cursor != 0 && loop.pages.count < 1000
      #expect(found.count == 60)
      #expect(Set(found) == expected)
      loop.list(2, "nothing")
      let count = loop.pages.count
      try loop.turn(until: "the page is there") { $0.pages.count > count }
      #expect(loop.pages.last?.counters?.isEmpty == true)
      #expect(loop.pages.last?.cursor == 0)
    }
  }

  @Test("counts on while the slot of each bucket moves from node to node, and back")
  func slotsMove() throws {
    try withRedisCluster { cluster throws in
      var loop = try CountingLoop(url: cluster.url)
      try loop.connect()
      var count = 0
      for (round, name) in Self.names.prefix(6).enumerated() {
        let key = counterKey(name)
        for target in cluster.nodes {
          try cluster.moveSlot(of: key, to: target)
          // Other counters of the batch are on the node as before.
          try loop.turn()
          try visitAll(&loop, from: 0)
          count += 17
          try loop.turn(untilAnswered: count)
        }
        #expect(loop.numbers.suffix(17).allSatisfy { $0 == Int64(3 * (round + 1)) })
      }
      #expect(loop.figures.refused.current == 0)
    }
  }

  @Test("counts in the middle of a move: with all keys at the new node, and with some at each")
  func midway() throws {
    try withRedisCluster { cluster throws in
      var loop = try CountingLoop(url: cluster.url)
      let name = Self.names[3]
      let key = counterKey(name)
      loop.visit(1, name)
      try loop.turn(untilAnswered: 1)
      let source = try cluster.primary(of: key)
      let target = try #require(cluster.nodes.first { $0 !== source })
      var parts = 0
      // Once for each ten keys; the move itself is over only after that.
      try cluster.moveSlot(of: key, to: target) {
        parts += 1
        loop.visit(2, name)
        try? loop.turn(untilAnswered: 2)
      }
      #expect(parts == 1)
      #expect(loop.numbers == [1, 2])
      #expect(try target.errorCount("ASK") + source.errorCount("ASK") > 0)
      // A new counter can be made when the move is over.
      loop.visit(3, name)
      try loop.turn(untilAnswered: 3)
      #expect(loop.numbers == [1, 2, 3])
    }
  }

  @Test("loses a primary, and what replicas had confirmed is there after its replica was promoted")
  func failover() throws {
    try withRedisCluster(hasReplicas: true) { cluster throws in
      var loop = try CountingLoop(
        url: cluster.nodes[0].url, timeout: .seconds(60), minReplicas: 1)
      try loop.connect()
      try loop.turn()
      try visitAll(&loop, from: 0)
      try loop.turn(untilAnswered: 17)
      let primary = try cluster.primary(of: "hits")
      try cluster.loseAndPromote(primary)
      try cluster.restore(primary)
      try loop.turn()
      try visitAll(&loop, from: 0)
      try loop.turn(untilAnswered: 34)
      #expect(loop.numbers == Array(repeating: 1, count: 17) + Array(repeating: 2, count: 17))
      try loop.turn(until: "all is well") {
        $0.counting.isCounting && $0.counting.replicas == 1 && $0.counting.partialOutage == nil
      }
    }
  }

  @Test("serves the other buckets while a node is away, and says which")
  func partialOutage() throws {
    try withRedisCluster { cluster throws in
      for node in cluster.nodes {
        _ = try node.command("CONFIG", "SET", "cluster-require-full-coverage", "no")
      }
      var loop = try CountingLoop(url: cluster.url, timeout: .seconds(2))
      try loop.connect()
      let lost = try cluster.primary(of: "hits")
      lost.crash()
      try loop.turn(until: "it is noticed") { $0.counting.partialOutage != nil }
      #expect(loop.counting.isConnected == false)
      #expect(loop.counting.partialOutage == "a node of Redis does not answer")
      let error = loop.counting.redisError?.description ?? ""
      #expect(error.hasPrefix("its node 127.0.0.1:\(lost.port): "))
      try visitAll(&loop, from: 0)
      try loop.turn(untilAnswered: 17)
      let served = loop.numbers.filter { $0 == 1 }.count
      #expect(served > 0)
      #expect(loop.numbers.filter { $0 == -1 }.count == 17 - served)
      #expect(served < 17)
      try lost.start()
      try loop.turn(until: "it is back") { $0.counting.isConnected }
      #expect(loop.counting.partialOutage == nil)
    }
  }

  @Test("is not connected while no node serves, and is again when they do, both without a visit")
  func clusterDown() throws {
    try withRedisCluster { cluster throws in
      var loop = try CountingLoop(url: cluster.url, timeout: .seconds(1))
      try loop.connect()
      // A slot without any counter: with full coverage the whole cluster stops.
      let slot = "\(try cluster.slot(of: "unrelated"))"
      for node in cluster.nodes { _ = try node.command("CLUSTER", "DELSLOTS", slot) }
      try loop.turn(until: "it is noticed") {
        !$0.counting.isConnected && $0.counting.partialOutage == nil
      }
      #expect(loop.counting.isCounting == false)
      let error = loop.counting.lastError ?? ""
      #expect(error.hasPrefix("CLUSTERDOWN"))
      #expect(loop.counting.redisError == .refused(error))
      #expect(loop.figures.redis.connected.current == 1)
      #expect(loop.figures.redis.lost.current == 1)
      #expect(loop.figures.refused.current == 0)
      loop.count(1)
      try loop.turn(untilAnswered: 1)
      #expect(loop.numbers == [-1])
      #expect(loop.figures.refused.current > 0)
      _ = try cluster.nodes[0].command("CLUSTER", "ADDSLOTS", slot)
      try loop.turn(until: "it is served again") {
        $0.counting.isConnected && $0.counting.lastError == nil && $0.counting.isCounting
      }
      #expect(loop.figures.redis.connected.current == 2)
      try loop.turn()
      try visitAll(&loop, from: 2)
      try loop.turn(untilAnswered: 18)
      #expect(loop.numbers.suffix(17).allSatisfy { $0 == 1 })
    }
  }

  @Test("is not connected while the memory of all nodes is full, whatever counter was visited")
  func memoryFull() throws {
    try withRedisCluster { cluster throws in
      var loop = try CountingLoop(url: cluster.url, timeout: .seconds(1))
      try loop.connect()
      let one = try cluster.primary(of: "hits")
      _ = try one.command("CONFIG", "SET", "maxmemory", "1")
      loop.count(1)
      try loop.turn(until: "a part is refused") { $0.counting.partialOutage != nil }
      #expect(loop.counting.partialOutage == "some counters cannot be counted")
      #expect(loop.counting.isConnected == false)
      for node in cluster.nodes { _ = try node.command("CONFIG", "SET", "maxmemory", "1") }
      try loop.turn(until: "all are refused") {
        !$0.counting.isConnected && $0.counting.partialOutage == nil
      }
      let error = loop.counting.lastError ?? ""
      #expect(error.contains("maxmemory"))
      try loop.turn(untilAnswered: 1)
      #expect(loop.numbers == [-1])
      for node in cluster.nodes { _ = try node.command("CONFIG", "SET", "maxmemory", "0") }
      try loop.turn(until: "it is well again") {
        $0.counting.isConnected && $0.counting.lastError == nil && $0.counting.isCounting
      }
    }
  }

  @Test("is not connected when a node is lost and the others do not serve without it")
  func fullCoverage() throws {
    try withRedisCluster { cluster throws in
      var loop = try CountingLoop(url: cluster.url)
      try loop.connect()
      let lost = try cluster.primary(of: "hits")
      lost.crash()
      try loop.turn(until: "the loss is noticed") { $0.counting.partialOutage != nil }
      try loop.turn(until: "nothing is served") { $0.counting.partialOutage == nil }
      #expect(loop.counting.isConnected == false)
      try lost.start()
      try loop.turn(until: "it is back") {
        $0.counting.isConnected && $0.counting.lastError == nil
      }
    }
  }

  @Test("is listed in full or not at all while a slot moves")
  func listOfMovingSlot() throws {
    try withRedisCluster { cluster throws in
      var loop = try CountingLoop(url: cluster.url)
      let bucket = UInt64(7)
      let names = (0..<1000).map { "list/\($0)" }.filter { self.bucket($0) == bucket }.prefix(8)
      for (index, name) in names.enumerated() { loop.visit(UInt128(index), name) }
      try loop.turn(untilAnswered: 8)
      let size = "{\(bucket)}:counters"
      let source = try cluster.primary(of: size)
      let target = try #require(cluster.nodes.first { $0 !== source })
      try cluster.openSlot(of: size, from: source, to: target)
      try RedisCluster.moveKeys(
        names.prefix(3).map { counterKey($0) }, from: source, to: target)
      loop.list(1, "list", cursor: bucket)
      try loop.turn(until: "the page is there") { $0.pages.count == 1 }
      #expect(loop.pages.last?.counters == nil)
      for key in [size] + names.map({ counterKey($0) }) {
        try RedisCluster.moveKeys([key], from: source, to: target)
      }
      loop.list(2, "list", cursor: bucket)
      try loop.turn(until: "the page is there") { $0.pages.count == 2 }
      #expect(loop.pages.last?.counters == nil)
      let slot = "\(try cluster.slot(of: size))"
      if case .list(let keys) = try source.command("CLUSTER", "GETKEYSINSLOT", slot, "99") {
        try RedisCluster.moveKeys(keys.compactMap(\.text), from: source, to: target)
      }
      try cluster.closeSlot(of: size, from: source, to: target)
      loop.list(3, "list", cursor: bucket)
      try loop.turn(until: "the page is there") { $0.pages.count == 3 }
      #expect(loop.pages.last?.counters?.count == 8)
    }
  }

  @Test("is listed while each flight carries a batch that replicas have to confirm")
  func listUnderLoad() throws {
    try withRedisCluster(hasReplicas: true) { cluster throws in
      var loop = try CountingLoop(url: cluster.nodes[0].url, minReplicas: 1)
      try loop.connect()
      // A registration has a flight without a batch.
      try visitAll(&loop, from: 1)
      try loop.turn(untilAnswered: 17)
      for round in 0..<2000 where loop.pages.isEmpty {
        // Before each round, so that visits of every bucket wait when a node is free.
        try visitAll(&loop, from: 100)
        if round == 10 { loop.list(2, "a") }
        try loop.turn()
      }
      #expect(loop.pages.last?.counters?.isEmpty == false)
    }
  }

  @Test("says that some counters cannot be counted when one cannot because its slot is open")
  func openSlot() throws {
    try withRedisCluster { cluster throws in
      let key = counterKey(Self.names[3])
      let source = try cluster.primary(of: key)
      let target = try #require(cluster.nodes.first { $0 !== source })
      _ = try source.command("SET", key, "1")
      _ = try source.command("SET", "{\(bucket(Self.names[3]))}:counters", "1")
      try cluster.openSlot(of: key, from: source, to: target)
      var loop = try CountingLoop(url: cluster.url, timeout: .seconds(60))
      loop.visit(1, Self.names[3])
      try loop.turn(until: "it is told") { $0.counting.lastError != nil }
      #expect(loop.counting.partialOutage == "some counters cannot be counted")
      let error = loop.counting.lastError
      let end = Instant.now + .seconds(2)
      while .now < end {
        try loop.turn()
        #expect(loop.counting.lastError == error)
      }
      try cluster.moveSlot(of: key, to: target)
      try loop.turn(untilAnswered: 1)
      #expect(loop.numbers == [2])
      try loop.turn(until: "all is well") {
        $0.counting.isConnected && $0.counting.lastError == nil
      }
    }
  }
}
