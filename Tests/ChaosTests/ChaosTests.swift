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
    arguments: Fault.ofLink + Fault.ofRedis)
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

  // MARK: Is it noticed when a counter is not exact?

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
    try expectFoundOut(fault)
  }

  @Test(
    "A program without claims is found out",
    .enabled(if: brokenCounter != nil, "BROKEN_COUNTER names no such program"))
  func claimsMissing() throws {
    let fault = Fault("no claims, and replies get lost: must be noticed", hasProxy: true) { scene in
      try whileRepliesAreLost(scene) { Scene.pass(0.01...0.02) }
    }
    try expectFoundOut(fault, program: brokenCounter)
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
    let findings = try expectFoundOut(fault)
    #expect(findings.doubled > 0)
  }

  @discardableResult
  private func expectFoundOut(_ fault: Fault, program: String? = nil) throws -> Findings {
    try withScene(for: fault, program: program) { scene in
      let (_, findings) = try scene.play(fault)
      #expect(!findings.isExact)
      #expect(!findings.isExactWhereAnswered)
      #expect(findings.doubled > 0 || findings.skipped > 0 || findings.count > findings.answered)
      return findings
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
