import Redis
import System
import Telemetry
import Testing

@testable import Counting
@testable import TestSupport

/// A group commit and its event loop, turned by hand, with a clock that can be put forward.
struct CountingLoop: ~Copyable {
  var counting: GroupCommit
  let figures: GroupCommit.Figures
  private let poller: Poller
  private let relay: Relay?
  private var events = Events()
  private var skipped = Interval.seconds(0)
  private var stopped: Instant?

  /// Emulates a slow Redis: each event is seen so much later than it came.
  var latency = Interval.seconds(0)

  /// The outcomes in the order in which they became known.
  private(set) var outcomes: [Outcome] = []

  /// The pages in the order in which they became known.
  private(set) var pages: [ListPage] = []

  /// - Parameter relay: leads to the Redis; by default there is none between them.
  init(
    _ redis: borrowing RedisProcess, through relay: Relay? = nil, mostCounters: Int = 100_000,
    timeout: Interval = .seconds(5), minReplicas: Int = 0, surveyInterval: Interval? = nil,
    script: BatchScript = .exactlyOnce
  ) throws {
    try self.init(
      url: relay?.url ?? redis.url, through: relay, mostCounters: mostCounters, timeout: timeout,
      minReplicas: minReplicas, surveyInterval: surveyInterval, script: script)
  }

  /// - Parameter url: the address of Redis.
  init(
    url: String, through relay: Relay? = nil, mostCounters: Int = 100_000,
    timeout: Interval = .seconds(5), minReplicas: Int = 0, surveyInterval: Interval? = nil,
    script: BatchScript = .exactlyOnce
  ) throws {
    let poller = try Poller()
    let address = try RedisAddress(url)
    let figures = GroupCommit.Figures()
    let counting = try GroupCommit(
      mostCounters: mostCounters, in: address, timeout: timeout,
      minReplicas: minReplicas, surveyInterval: surveyInterval, poller, owner: 0, figures: figures,
      script: script)
    self.figures = figures
    self.poller = poller
    self.relay = relay
    self.counting = counting
  }

  private var now: Instant { (stopped ?? .now) + skipped }

  /// From here on only `skip` puts the clock forward, however long the machine takes.
  mutating func stopClock() { stopped = .now }

  /// One round, in which visits of `/` arrive.
  ///
  /// - Parameter visits: their tickets.
  mutating func turn(visits: Range<UInt128> = 0..<0) throws {
    try relay?.pass()
    try poller.wait(from: .now, until: .now + .milliseconds(relay == nil ? 2 : 1), &events)
    if events.count > 0, latency > .seconds(0) { pass(latency) }
    counting.beginRound(now)
    for index in 0..<events.count {
      counting.handleEvent(events[index])
      takeOutcomes()
    }
    for ticket in visits { #expect(counting.visit(ticket) == true) }
    takeOutcomes()
    counting.endRound()
  }

  /// Lets time pass without an event. Each deadline on the way is met when it is due.
  private mutating func pass(_ interval: Interval) {
    let end = now + interval
    while counting.deadline < end {
      skipped = skipped + max(counting.deadline - now, .seconds(0))
      counting.beginRound(now)
      takeOutcomes()
      counting.endRound()
    }
    skipped = skipped + max(end - now, .seconds(0))
  }

  private mutating func takeOutcomes() {
    while let outcome = counting.nextOutcome() { outcomes.append(outcome) }
    while let page = counting.nextPage() { pages.append(page) }
  }

  /// Has a visit of `/` arrive outside of any round.
  mutating func count(_ ticket: UInt128) {
    #expect(counting.visit(ticket) == true)
  }

  /// Has a visit of a counter with a name arrive outside of any round.
  mutating func visit(_ ticket: UInt128, _ name: String, _ action: Action = .hit) {
    let isTaken = counting.visit(ticket, Array(name.utf8).span, action)
    #expect(isTaken)
  }

  /// Has a visit with an idempotency key arrive outside of any round.
  mutating func addOnce(_ ticket: UInt128, _ name: String, _ amount: Int64, _ key: String) {
    let isTaken = counting.addOnce(
      ticket, Array(name.utf8).span, amount, idempotencyKey: Array(key.utf8).span)
    #expect(isTaken)
  }

  /// Asks for a page outside of any round.
  mutating func list(_ ticket: UInt128, _ namespace: String, cursor: UInt64 = 0) {
    #expect(counting.list(ticket, namespace, cursor: cursor) == true)
  }

  /// Turns until the batch of the visits so far is on its way.
  mutating func send() throws {
    try turn(until: "the batch is sent") { !$0.counting.isFilling }
  }

  mutating func turn(
    until what: Comment, _ condition: (borrowing CountingLoop) throws -> Bool
  ) throws {
    // A replica that starts again is back within a few seconds, on a busy machine later.
    let end = Instant.now + .seconds(30)
    while .now < end {
      if try condition(self) { return }
      try turn()
    }
    Issue.record("never: \(what)")
  }

  /// Turns until so many visits in all are answered.
  mutating func turn(untilAnswered count: Int) throws {
    try turn(until: "\(count) visits are answered") { $0.outcomes.count == count }
  }

  mutating func connect() throws {
    try turn(until: "connected") { $0.counting.isConnected }
  }

  mutating func skip(_ interval: Interval) throws {
    skipped = skipped + interval
    try turn()
  }

  /// The numbers in the order of the outcomes; -1 for none.
  var numbers: [Int64] { outcomes.map { $0.number ?? -1 } }

  /// What became of the visits, in the order of the outcomes.
  var results: [Outcome.Result] { outcomes.map(\.result) }
}
