import Counting
import System
import Redis

/// Event loops that are emulated on one thread: each with its own batch, claim and connection to Redis;
/// all on one poller.
struct LoopGroup: ~Copyable {
  private let plan: GroupPlan
  private let run: Run
  private let alarm: Alarm
  private let poller: Poller

  /// Watches the alarm only: while events are held back, the other poller would not wait.
  private let clock: Poller

  private let loops: [EmulatedLoop]
  private var delayLine: DelayLine
  private var events = Events()
  private var now = Instant.now
  private var nextSweep = Instant(nanoseconds: 0)
  private var lastVisits = Instant(nanoseconds: 0)

  /// The loops that take part in this round, and those whose batch is held back for the next round.
  private var active: [Int] = []
  private var filling: [Int] = []

  private var visits = 0
  private var tally: Tally

  /// The part of an event loop that is emulated.
  private final class EmulatedLoop {
    var counting: GroupCommit
    var isActive = false

    init(_ counting: consuming GroupCommit) {
      self.counting = counting
    }
  }

  /// As many loops as a poller can tell apart by the owner of their events, less one for the alarm.
  static var mostLoops: Int { 250 }

  private static var alarmOwner: UInt8 { 255 }

  /// While replies are held back, new ones are noticed so often.
  private static var grain: Interval { Interval(nanoseconds: 50_000) }

  /// When the thread took visits less than so long ago, the next may be late: by a tenth of the mean
  /// gap between two at one loop, which hardly changes the batches, and by no more than a grain.
  /// Waking for each would cost more than the loops do. Latency is from when a visit was due.
  private var visitGrain: Interval {
    min(Self.grain, Interval(nanoseconds: Int64(1e8 * Double(plan.loops) / plan.rate)))
  }

  /// Nearer moments are waited for by looking again.
  private static var shortestSleep: Interval { Interval(nanoseconds: 15_000) }

  init(_ plan: GroupPlan, _ run: Run) throws(SystemError) {
    let poller = try Poller()
    let clock = try Poller()
    let alarm = try Alarm(plan.signal, plan.signals)
    let token = Token(owner: Self.alarmOwner)
    try poller.add(alarm.descriptor, .read, token)
    try clock.add(alarm.descriptor, .read, token)
    var loops: [EmulatedLoop] = []
    for index in 0..<plan.loops {
      let counting = try GroupCommit(
        hits: run.key, in: run.location, timeout: .seconds(5), poller, owner: UInt8(index))
      loops.append(EmulatedLoop(counting))
    }
    self.plan = plan
    self.run = run
    self.alarm = alarm
    self.poller = poller
    self.clock = clock
    self.loops = loops
    delayLine = DelayLine(plan.delay, loops: plan.loops)
    tally = Tally(window: .never ..< .never)
  }

  /// Connects, waits for the start, takes visits until the end, and waits for the last answer.
  ///
  /// - Returns: what came of the visits.
  mutating func measure() throws(SystemError) -> Tally {
    try connect()
    guard let start = try waitForStart() else { return tally }
    tally = Tally(window: run.window(from: start))
    var arrivals = Arrivals(
      rate: plan.rate, loops: plan.loops, from: start, seed: plan.seed)
    let end = run.end(from: start)
    while !run.isAborted, arrivals.next.moment < end || tally.count < visits {
      let nextVisit = arrivals.next.moment < end ? arrivals.next.moment : .never
      try wait(until: min(max(nextVisit, lastVisits + visitGrain), delayLine.deadline))
      beginRound()
      countVisits(of: &arrivals, before: min(end, now))
      handleEvents()
      sweep()
      endRound()
    }
    return tally
  }
}

// MARK: - Start

extension LoopGroup {
  private mutating func connect() throws(SystemError) {
    let limit = Instant.now + .seconds(20)
    while !run.isAborted, !loops.allSatisfy({ $0.counting.isConnected }) {
      guard now < limit else { throw SystemError("connect", code: 110) }
      try turn(upTo: .milliseconds(1))
    }
    run.groupIsReady()
  }

  private mutating func waitForStart() throws(SystemError) -> Instant? {
    while !run.isAborted {
      if let start = run.start { return start }
      try turn(upTo: .milliseconds(1))
    }
    return nil
  }

  /// A round without visits.
  private mutating func turn(upTo limit: Interval) throws(SystemError) {
    try poller.wait(from: now, until: now + limit, &events)
    now = .now
    beginRound()
    for index in 0..<events.count { handleEvent(events[index]) }
    nextSweep = now
    sweep()
    endRound()
  }
}

// MARK: - A round

extension LoopGroup {
  /// Waits for events or until a moment, at most until the next sweep.
  private mutating func wait(until moment: Instant) throws(SystemError) {
    now = .now
    var moment = filling.isEmpty ? moment : now
    if !delayLine.isEmpty { moment = min(moment, now + Self.grain) }
    guard moment > now + Self.shortestSleep else {
      try poller.wait(from: now, until: now, &events)
      now = .now
      return
    }
    if moment < nextSweep { alarm.set(moment) }
    if delayLine.isEmpty {
      try poller.wait(from: now, until: nextSweep, &events)
    } else {
      // What is held back would end the other poller's wait at once.
      try clock.wait(from: now, until: nextSweep, &events)
      if events.count > 0 { alarm.reset() }
      try poller.wait(from: now, until: now, &events)
    }
    now = .now
  }

  private mutating func beginRound() {
    for index in filling { activate(index) }
    filling.removeAll(keepingCapacity: true)
  }

  /// Has a loop take part in this round.
  @discardableResult
  private mutating func activate(_ index: Int) -> EmulatedLoop {
    let loop = loops[index]
    guard !loop.isActive else { return loop }
    loop.isActive = true
    active.append(index)
    loop.counting.beginRound(now)
    return loop
  }

  private mutating func countVisits(of arrivals: inout Arrivals, before end: Instant) {
    guard arrivals.next.moment <= end else { return }
    lastVisits = now
    while arrivals.next.moment <= end {
      let (moment, index) = arrivals.next
      let ticket = UInt128(moment.nanoseconds)
      if !activate(index).counting.visit(ticket) { tally.add(nil, asked: moment, answered: now) }
      visits += 1
      arrivals.advance()
    }
  }

  private mutating func handleEvents() {
    for index in 0..<events.count {
      let event = events[index]
      if event.token.owner == Self.alarmOwner {
        alarm.reset()
      } else if plan.delay.nanoseconds == 0 {
        handleEvent(event)
      } else {
        delayLine.hold(event, of: Int(event.token.owner), now)
      }
    }
    while let event = delayLine.release(now) { handleEvent(event) }
  }

  private mutating func handleEvent(_ event: Event) {
    guard event.token.owner != Self.alarmOwner else { return alarm.reset() }
    let loop = activate(Int(event.token.owner))
    loop.counting.handleEvent(event)
    takeOutcomes(of: loop)
  }

  /// Has the loops take part for which something is due. Nothing there is exact to less than 10 ms.
  private mutating func sweep() {
    guard now >= nextSweep else { return }
    nextSweep = now + .milliseconds(10)
    for index in loops.indices where now >= loops[index].counting.deadline { activate(index) }
  }

  private mutating func endRound() {
    for index in active {
      let loop = loops[index]
      loop.isActive = false
      takeOutcomes(of: loop)
      loop.counting.endRound()
      if loop.counting.isFilling { filling.append(index) }
    }
    active.removeAll(keepingCapacity: true)
  }

  private mutating func takeOutcomes(of loop: EmulatedLoop) {
    guard var outcome = loop.counting.nextOutcome() else { return }
    let answered = Instant.now
    while true {
      let asked = Instant(nanoseconds: Int64(truncatingIfNeeded: outcome.ticket))
      tally.add(outcome.number, asked: asked, answered: answered)
      guard let next = loop.counting.nextOutcome() else { return }
      outcome = next
    }
  }
}
