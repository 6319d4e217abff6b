import Counting
import System
import Redis

/// Event loops that are emulated on one thread: each with its own counter, and with it its own
/// batch, claim and connection to Redis; all on one poller.
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
  private var touched: [Int] = []
  private var visits = 0
  private var tally: Tally

  /// A loop, as far as it is emulated.
  private final class EmulatedLoop {
    var counter: Counter
    var isTouched = false

    init(_ counter: consuming Counter) {
      self.counter = counter
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
      let counter = try Counter(
        run.key, in: run.location, timeout: .seconds(5), poller, owner: UInt8(index))
      loops.append(EmulatedLoop(counter))
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
      take(&arrivals, before: min(end, now))
      handleEvents()
      sweep()
      dispatch()
    }
    return tally
  }
}

// MARK: - Start

extension LoopGroup {
  private mutating func connect() throws(SystemError) {
    let limit = Instant.now + .seconds(20)
    while !run.isAborted, !loops.allSatisfy({ $0.counter.isConnected }) {
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
    for index in 0..<events.count { ready(events[index]) }
    nextSweep = now
    sweep()
  }
}

// MARK: - A round

extension LoopGroup {
  /// Waits for events or until a moment, at most until the next sweep.
  private mutating func wait(until moment: Instant) throws(SystemError) {
    now = .now
    var moment = moment
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

  private mutating func take(_ arrivals: inout Arrivals, before end: Instant) {
    guard arrivals.next.moment <= end else { return }
    lastVisits = now
    while arrivals.next.moment <= end {
      let (moment, index) = arrivals.next
      let loop = loops[index]
      loop.counter.beginRound(now)
      loop.counter.count(UInt128(moment.nanoseconds))
      touch(index)
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
        ready(event)
      } else {
        delayLine.hold(event, of: Int(event.token.owner), now)
      }
    }
    while let event = delayLine.release(now) { ready(event) }
  }

  private mutating func ready(_ event: Event) {
    guard event.token.owner != Self.alarmOwner else { return alarm.reset() }
    let loop = loops[Int(event.token.owner)]
    loop.counter.beginRound(now)
    loop.counter.ready(event)
    takeAnswers(loop)
    touch(Int(event.token.owner))
  }

  /// Notes that a loop may have a batch to send at the end of the round.
  private mutating func touch(_ index: Int) {
    guard !loops[index].isTouched else { return }
    loops[index].isTouched = true
    touched.append(index)
  }

  /// Does what has become due at any loop. Nothing there is exact to less than 10 ms.
  private mutating func sweep() {
    guard now >= nextSweep else { return }
    nextSweep = now + .milliseconds(10)
    for loop in loops where now >= loop.counter.deadline {
      loop.counter.beginRound(now)
      loop.counter.tick()
      takeAnswers(loop)
      loop.counter.dispatch()
    }
  }

  /// Sends the batches of the loops that visits or replies came to.
  private mutating func dispatch() {
    for index in touched {
      loops[index].isTouched = false
      loops[index].counter.dispatch()
    }
    touched.removeAll(keepingCapacity: true)
  }

  private mutating func takeAnswers(_ loop: EmulatedLoop) {
    guard var answer = loop.counter.nextAnswer() else { return }
    let answered = Instant.now
    while true {
      let asked = Instant(nanoseconds: Int64(truncatingIfNeeded: answer.ticket))
      tally.add(answer.number, asked: asked, answered: answered)
      guard let next = loop.counter.nextAnswer() else { return }
      answer = next
    }
  }
}
