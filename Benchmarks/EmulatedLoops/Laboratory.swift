import System
import Glibc
import Redis

/// Runs scenarios one after the other, each against a fresh redis-server.
struct Laboratory {
  private var fsync: String
  private let duration: Interval
  private let seed: UInt64
  private let attempts: Int
  private let interruptions: Signals
  private let alarms: [Signals]

  /// The person at the terminal, or whoever started the program, wants it to end.
  struct Interrupted: Error {}

  /// Make one before the first thread is started: it takes over signals.
  init(fsync: String, duration: Interval, seed: UInt64, attempts: Int, mostLoops: Int) throws {
    self.fsync = fsync
    self.duration = duration
    self.seed = seed
    self.attempts = attempts
    interruptions = try Signals(SIGINT, SIGTERM)
    alarms = try (0..<Self.groups(mostLoops)).map { try Signals(Alarm.signal($0)) }
    try Self.raiseDescriptorLimit()
  }

  /// The same, with another `appendfsync`.
  func writing(_ fsync: String) -> Laboratory {
    var other = self
    other.fsync = fsync
    return other
  }

  /// Measures one scenario, again if other programs disturbed it, and keeps the measurement that was
  /// disturbed least. Each time it waits a while for them to be quiet.
  ///
  /// - Parameter care: how many times as often and as long as usual.
  func measure(_ scenario: Scenario, care: Int = 1) throws -> Measurement {
    let patience = Interval.seconds(5) * Int64(care)
    try waitUntilQuiet(patience)
    var best = try measureOnce(scenario)
    for _ in 1..<attempts * care where best.isExact && best.processors.others > Self.quiet {
      try waitUntilQuiet(patience)
      let next = try measureOnce(scenario)
      if !next.isExact || next.processors.others < best.processors.others { best = next }
    }
    return best
  }

  /// How much of a processor others may use without disturbing.
  private static let quiet = 0.1

  private func waitUntilQuiet(_ limit: Interval) throws {
    let end = Instant.now + limit
    var used = Double.infinity
    while used > Self.quiet, Instant.now < end {
      let before = ProcessorTime.usedByAll()
      let start = Instant.now
      try wait(until: start + .milliseconds(200)) { false }
      used = (ProcessorTime.usedByAll() - before) / (Instant.now - start).seconds
    }
  }

  private func measureOnce(_ scenario: Scenario) throws -> Measurement {
    let redis = try RedisServer(fsync: fsync)
    defer { redis.stop() }
    let warmUp = Interval.milliseconds(500)
    let run = Run(redis.location, warmUp: warmUp, duration: duration)
    let groups = try start(run, scenario)
    do {
      try wait(until: .now + .seconds(25)) { run.groupsReady == groups || run.isAborted }
      let start = Instant.now + .milliseconds(5)
      run.begin(at: start)
      try wait(until: start + warmUp) { run.isAborted }
      let before = try Snapshot(redis)
      try wait(until: start + warmUp + duration) { run.isAborted }
      let after = try Snapshot(redis)
      try wait(until: .now + .seconds(10)) { run.finished.count == groups }
      var tally = Tally(window: run.window(from: start))
      for result in run.finished { tally.add(try result.get()) }
      let count = Int64(try redis.ask("GET", run.key)) ?? 0
      return Measurement(scenario, before, after, tally, isExact: tally.isExact(count: count))
    } catch {
      // The threads end by themselves, at the latest when their connections break.
      run.abort()
      try? wait(until: .now + .seconds(2)) { run.finished.count == groups }
      throw error
    }
  }

  private func start(_ run: Run, _ scenario: Scenario) throws -> Int {
    let groups = Self.groups(scenario.loops)
    for group in 0..<groups {
      let loops = scenario.loops / groups + (group < scenario.loops % groups ? 1 : 0)
      let plan = GroupPlan(
        loops: loops, rate: scenario.visitsPerSecond * Double(loops) / Double(scenario.loops),
        delay: scenario.delay, seed: seed &+ UInt64(group), signal: Alarm.signal(group),
        signals: alarms[group])
      try Thread(name: "loops-\(group)") {
        do throws(SystemError) {
          var group = try LoopGroup(plan, run)
          run.finish(.success(try group.measure()))
        } catch {
          run.finish(.failure(error))
        }
      }.detach()
    }
    return groups
  }

  /// Waits for a moment, or until `isOver` says yes, looking every few milliseconds.
  private func wait(until moment: Instant, _ isOver: () -> Bool) throws {
    let poller = try Poller()
    var events = Events()
    try poller.add(interruptions.descriptor, .read, Token(owner: 0))
    var now = Instant.now
    while now < moment, !isOver() {
      try poller.wait(from: now, until: min(moment, now + .milliseconds(5)), &events)
      if events.count > 0 { throw Interrupted() }
      now = .now
    }
  }

  /// How many threads it takes to emulate that many loops.
  private static func groups(_ loops: Int) -> Int {
    (loops + LoopGroup.mostLoops - 1) / LoopGroup.mostLoops
  }

  /// A loop has two descriptors, and the usual limit is 1,024.
  private static func raiseDescriptorLimit() throws(SystemError) {
    var limit = rlimit()
    // Sound: the calls read or fill in the one value they are handed.
    _ = try systemCall("getrlimit") {
      unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    limit.rlim_cur = limit.rlim_max
    _ = try systemCall("setrlimit") {
      unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
  }
}

/// What was used and counted up to a moment.
private struct Snapshot {
  let moment: Instant
  let calls: Double
  let visits: Double
  let redis: Double
  let emulator: Double
  let machine: Double

  init(_ server: RedisServer) throws {
    let statistics = try server.ask("INFO", "commandstats")
    visits = Double(try server.ask("GET", "hits")) ?? 0
    moment = .now
    calls = Self.calls(of: "eval", statistics) + Self.calls(of: "evalsha", statistics)
    redis = ProcessorTime.used(by: server.process)
    emulator = ProcessorTime.used(by: getpid())
    machine = ProcessorTime.usedByAll()
  }

  /// From a line like `cmdstat_evalsha:calls=42,usec=…`.
  private static func calls(of command: String, _ statistics: String) -> Double {
    let start = "cmdstat_\(command):calls="
    let line = statistics.split(whereSeparator: \.isNewline).first { $0.hasPrefix(start) }
    return line.flatMap { Double($0.dropFirst(start.count).prefix(while: \.isNumber)) } ?? 0
  }
}

extension Measurement {
  fileprivate init(
    _ scenario: Scenario, _ before: Snapshot, _ after: Snapshot, _ tally: Tally, isExact: Bool
  ) {
    let seconds = (after.moment - before.moment).seconds
    func rate(_ value: (Snapshot) -> Double) -> Double { (value(after) - value(before)) / seconds }
    self.scenario = scenario
    callsPerSecond = rate(\.calls)
    visitsPerSecond = rate(\.visits)
    latency = Latency(tally.latencies)
    let redis = rate(\.redis)
    let emulator = rate(\.emulator)
    processors = Processors(
      redis: redis, emulator: emulator, others: max(0, rate(\.machine) - redis - emulator))
    self.isExact = isExact
  }
}
