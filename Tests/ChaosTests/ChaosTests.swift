import Foundation
import Testing

@testable import TestSupport

/// Everything that can go wrong between a visit and the disk, under load, again and again.
///
/// The whole history is held against what Redis counts. A fault goes on for as many seconds as the
/// environment variable CHAOS_SECONDS says, and writes a line of the table on standard output.
@Suite("Chaos", .serialized)
struct ChaosTests {
  @Test(
    "No visit fails, and each gets the number that is its own, whatever goes wrong for a moment",
    arguments: Fault.ofLink + Fault.ofEncryptedLink + Fault.ofRedis)
  func moments(fault: Fault) throws {
    try expectExact(under: fault)
  }

  @Test(
    "When it lasts longer than visits wait, those told 503 count once at most, the others exactly",
    arguments: Fault.ofLinkForLonger + Fault.ofRedisForLonger)
  func longer(fault: Fault) throws {
    try expectExact(under: fault)
  }

  @Test("The same when it is the count or a counter that fails", arguments: Fault.ofCounting)
  func counting(fault: Fault) throws {
    try expectExact(under: fault)
  }

  @Test(
    "No number is lost or given twice when the primary is lost, cut off, or comes back",
    arguments: Fault.ofPrimary)
  func failovers(fault: Fault) throws {
    try expectExact(under: fault)
  }

  @Test("The same on a Redis Cluster", arguments: Fault.ofCluster)
  func cluster(fault: Fault) throws {
    try expectExact(under: fault)
  }

  @Test(
    "With too few replicas, visits are told 503 and nothing is wrong", arguments: Fault.ofReplicas)
  func replicas(fault: Fault) throws {
    try expectExact(under: fault)
  }

  // MARK: Is it noticed when a counter is not exact?

  @Test("A program that waits for no replica is found out when the primary is lost")
  func replicasNotAwaited() throws {
    let fault = Fault(
      "primary killed, no replica waited for: must be noticed", minReplicas: 0
    ) { scene in
      let group = try #require(scene.group)
      let old = try group.primary()
      Scene.pass(0.5...1)
      // The replicas fall behind.
      try group.cutOff(old, from: [.replica])
      try scene.visitors.waitUntilAnswered(more: 100)
      old.crash()
      _ = try group.awaitFailover(from: old)
      _ = scene.repeatedly(every: 0.01...0.02) {}
      return [Fault.Strikes(count: 1, what: "kills")]
    }
    let seen = try expectFoundOut(fault)
    #expect(seen.findings.doubled > 0)
  }

  @Test("A program that sends again, and whose claims are gone by then, is found out")
  func claimsForgotten() throws {
    let fault = Fault("claims deleted while replies get lost: must be noticed", hasProxy: true) {
      scene in
      let redis = try RESPClient(.unix(scene.redis.socketPath))
      let forget = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end"
      return try whileRepliesAreLost(scene) {
        _ = try redis.command(["EVAL", forget, "0", "{hits}:claim:*"])
      }
    }
    #expect(try expectFoundOut(fault).names?.isExactWhereAnswered == false)
  }

  @Test(
    "A program without claims is found out",
    .enabled(if: brokenCounter != nil, "BROKEN_COUNTER names no such program"))
  func claimsMissing() throws {
    let fault = Fault("no claims, and replies get lost: must be noticed", hasProxy: true) { scene in
      try whileRepliesAreLost(scene) { Scene.pass(0.01...0.02) }
    }
    try expectFoundOut(fault, program: brokenCounter, hasNames: false)
  }

  @Test(
    "A program that forgets the claim is found out by each of its counters",
    .enabled(if: brokenCounter != nil, "BROKEN_COUNTER names no such program"))
  func claimForgottenByScript() throws {
    let fault = Fault("claim forgotten, and replies get lost: must be noticed", hasProxy: true) {
      scene in
      try whileRepliesAreLost(scene) { Scene.pass(0.01...0.02) }
    }
    let seen = try expectFoundOut(fault, program: brokenCounter, flags: ["--wrong", "claim"])
    #expect(try #require(seen.names).skipped > 0)
  }

  @Test(
    "A program that splits the write in two is found out by each of its counters",
    .enabled(if: brokenCounter != nil, "BROKEN_COUNTER names no such program"))
  func writeSplit() throws {
    // Replies get lost on connections that stay open, so that batches are in flight when Redis is killed.
    let fault = Fault("write split, and Redis killed: must be noticed", hasProxy: true) { scene in
      let proxy = try #require(scene.proxy)
      let kills = try scene.repeatedly(every: 0.05...0.3) {
        proxy.trouble = .swallowReply
        Scene.pass(0.05...0.1)
        scene.redis.crash()
        proxy.trouble = nil
        try scene.redis.start()
      }
      return [Fault.Strikes(count: kills, what: "kills")]
    }
    let seen = try expectFoundOut(fault, program: brokenCounter, flags: ["--wrong", "split"])
    #expect(try #require(seen.names).skipped > 0)
  }

  @Test(
    "A program that mixes up two counters of a batch is found out without any fault",
    .enabled(if: brokenCounter != nil, "BROKEN_COUNTER names no such program"))
  func countersMixedUp() throws {
    let fault = Fault("two counters of a batch mixed up: must be noticed") { scene in
      _ = scene.repeatedly(every: 0.01...0.02) {}
      return []
    }
    try withScene(for: fault, program: brokenCounter, flags: ["--wrong", "mixed"]) { scene in
      let names = try #require(try scene.play(fault).names)
      #expect(!names.isExactWhereAnswered)
    }
  }

  @Test("Numbers that are given out twice are found out")
  func numbersTakenBack() throws {
    let fault = Fault("numbers taken back: must be noticed") { scene in
      var takenBack = 0
      _ = try scene.repeatedly(every: 0.01...0.1) {
        let reply = try scene.redis.command("DECRBY", "hits", "5")
        if case .integer = reply { takenBack += 5 }
      }
      return [Fault.Strikes(count: takenBack, what: "numbers")]
    }
    let seen = try expectFoundOut(fault)
    #expect(seen.findings.doubled > 0)
    #expect(seen.names?.isExact == true, "those of other counters are right")
  }

  @discardableResult
  private func expectFoundOut(
    _ fault: Fault, program: String? = nil, flags: [String] = [], hasNames: Bool = true
  ) throws -> Seen {
    try withScene(for: fault, program: program, flags: flags, hasNames: hasNames) { scene in
      let seen = try scene.play(fault)
      let findings = seen.findings
      #expect(!findings.isExact)
      #expect(!findings.isExactWhereAnswered)
      #expect(findings.doubled > 0 || findings.skipped > 0 || findings.count > findings.answered)
      return seen
    }
  }

  private func whileRepliesAreLost(
    _ scene: Scene, _ body: () throws -> Void
  ) throws -> [Fault.Strikes] {
    let proxy = try #require(scene.proxy)
    proxy.trouble = .loseReply
    while !scene.isOver { try body() }
    proxy.trouble = nil
    return [Fault.Strikes(count: proxy.record.struck, what: "replies")]
  }
}

/// A counter that was built not to be exact, to see whether that is noticed.
private let brokenCounter = ProcessInfo.processInfo.environment["BROKEN_COUNTER"]
