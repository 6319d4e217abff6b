import Redis
import System
import Telemetry
import Testing

@testable import Counting
@testable import TestSupport

/// Many event loops on one thread, each with one visit at a time: a visit follows the one before it at
/// once.
private struct LoopCrowd: ~Copyable {
  private final class Loop {
    var counting: GroupCommit
    var isWaiting = false
    var numbers: [Int64] = []
    var unavailable = 0

    init(_ counting: consuming GroupCommit) {
      self.counting = counting
    }

    func takeOutcomes() {
      while let outcome = counting.nextOutcome() {
        isWaiting = false
        if let number = outcome.number { numbers.append(number) } else { unavailable += 1 }
      }
    }
  }

  /// A poller tells 256 owners of events apart.
  private static var loopsPerPoller: Int { 250 }

  private let figures = GroupCommit.Figures()
  private var pollers: [Poller] = []
  private var loops: [Loop] = []
  private var events = Events()

  init(_ count: Int, _ redis: borrowing RedisProcess) throws {
    for index in 0..<count {
      let owner = index % Self.loopsPerPoller
      if owner == 0 { pollers.append(try Poller()) }
      let counting = try GroupCommit(
        in: try RedisAddress(redis.url), timeout: .seconds(5), pollers[pollers.count - 1],
        owner: UInt8(owner), figures: figures)
      loops.append(Loop(counting))
    }
  }

  mutating func turn() throws {
    var now = Instant.now
    for (group, poller) in pollers.enumerated() {
      try poller.wait(from: now, until: now + .milliseconds(1), &events)
      now = .now
      for index in 0..<events.count {
        let loop = loops[group * Self.loopsPerPoller + Int(events[index].token.owner)]
        loop.counting.beginRound(now)
        loop.counting.handleEvent(events[index])
        loop.takeOutcomes()
      }
    }
    for loop in loops {
      loop.counting.beginRound(now)
      loop.takeOutcomes()
      if !loop.isWaiting { loop.isWaiting = loop.counting.visit(0) }
      loop.counting.endRound()
    }
  }

  /// Turns for a while.
  mutating func turn(for interval: Interval) throws {
    let end = Instant.now + interval
    while .now < end { try turn() }
  }

  /// Turns until each loop has had so many visits counted.
  ///
  /// - Returns: whether that was within the limit.
  mutating func turn(untilEachHasCounted count: [Int], within limit: Interval) throws -> Bool {
    let end = Instant.now + limit
    while .now < end {
      try turn()
      if zip(loops, count).allSatisfy({ $0.numbers.count >= $1 }) { return true }
    }
    return false
  }

  /// How many visits each loop has had counted.
  var counted: [Int] { loops.map(\.numbers.count) }

  /// All numbers that visits were answered with.
  var numbers: [Int64] { loops.flatMap(\.numbers) }

  var unavailable: Int { loops.map(\.unavailable).reduce(0, +) }

  /// How many batches were sent again.
  var resends: Int { Int(figures.interrupted.current) }
}

@Suite("Many event loops")
struct RecoveryTests {
  @Test(
    "count again within 5 s after Redis stood still for 3 s, and none sends its batch again twice",
    .timeLimit(.minutes(1)))
  func standstill() throws {
    try withRedis { redis throws in
      let count = 500
      var crowd = try LoopCrowd(count, redis)
      let hasStarted = try crowd.turn(
        untilEachHasCounted: Array(repeating: 2, count: count), within: .seconds(20))
      #expect(hasStarted)
      let before = crowd.resends
      redis.freeze()
      try crowd.turn(for: .seconds(3))
      redis.thaw()
      let goal = crowd.counted.map { $0 + 2 }
      let hasRecovered = try crowd.turn(untilEachHasCounted: goal, within: .seconds(5))
      #expect(hasRecovered)
      #expect(crowd.resends - before <= count)
      let numbers = crowd.numbers
      #expect(Set(numbers).count == numbers.count)
    }
  }
}
