import AccessLog
import BasicContainers
import CLinux
package import Counting
import Glibc
import HTTP
import Logging
import Redis
package import System

/// The program from start to stop.
///
/// The event loops serve, each on a thread of its own. The main thread has a loop as well: it hears
/// signals, supervises the private redis-server if there is one, and serves the metrics. It never
/// waits anywhere but in its poller, so that a signal is heard at any time.
///
/// The event loops serve from the beginning: `/health` is answered while a private redis-server
/// loads its data, and `/ready` tells when visits can be counted.
package struct Application: ~Copyable {
  private let configuration: Configuration
  private let log: LineWriter
  private let accessLines: LineWriter?
  private let logger: Logger
  private let poller: Poller
  private let signals: Signals
  private let shutdown: Shutdown
  private let connections: Int
  private let script: BatchScript
  private let figures: [LoopFigures]
  private let redisLog: RedisLog
  private let location: RedisAddress
  private var listeners: Listeners
  private var metrics: MetricsServer?
  private let redis: RedisSupervisor?
  private var phase = Phase.running
  private var failure: Failure?

  /// Whether a second signal has ended the program.
  private var isForced = false

  /// The result of a stop.
  package enum Outcome: Sendable {
    /// Every request was answered.
    case clean
    /// The drain limit or a second signal cut the stop short.
    case cutOff
  }

  /// Why the program cannot run.
  package enum Failure: Error, CustomStringConvertible {
    /// Something that the program needs is missing or taken; the reason is one line.
    case unavailable(String)
    /// A system call failed that the program cannot do without.
    case system(SystemError)

    /// The reason in one line.
    package var description: String {
      switch self {
      case .unavailable(let reason): reason
      case .system(let error): error.description
      }
    }
  }

  /// The phases of the program's life.
  private enum Phase {
    /// Event loops run; `Shutdown` says whether they serve or drain.
    case running
    /// The event loops have ended, and the private redis-server is ending.
    case stoppingRedis
    /// The last lines are written to the log and the access log.
    case flushingLogs(remaining: Int, until: Instant)
    case over
  }

  /// The owners of events.
  private enum Owner: UInt8 {
    case signals
    case loops
    case redis
    case logs
    case metricsListener
    case metricsConnection

    var token: Token { Token(owner: rawValue) }
  }

  /// How long the last lines of the logs may take to be written.
  private static var flushTime: Interval { .seconds(1) }

  /// The same after a second signal, which ends the program at once.
  private static var shortFlushTime: Interval { .milliseconds(100) }

  /// How long a private redis-server may load before the log says that Redis is not there.
  private static var quietStart: Interval { .seconds(30) }

  /// Opens everything that the program needs, so that it does not start in part.
  ///
  /// - Parameter script: adds the visits; tests replace it by a wrong one.
  private init(_ configuration: Configuration, script: BatchScript) throws(Failure) {
    let loops = configuration.threads
    let (log, accessLines): (LineWriter, LineWriter?)
    let (poller, signals, shutdown): (Poller, Signals, Shutdown)
    do throws(SystemError) {
      // First of all: the signals must be taken before there is another thread.
      signals = try Signals(SIGTERM, unlessIgnored: [SIGINT, SIGHUP])
      Signals.ignoreBrokenPipes()
      log = try LineWriter(to: STDERR_FILENO)
      accessLines = configuration.logsAccess ? try LineWriter(to: STDOUT_FILENO) : nil
      poller = try Poller()
      shutdown = try Shutdown(loops: loops)
      try poller.add(signals.descriptor, .read, Owner.signals.token)
      try poller.add(shutdown.loopEnded.descriptor, .read, Owner.loops.token)
    } catch {
      throw .system(error)
    }
    let logger = Logger(label: "counter") { label in
      LineLogHandler(
        label: label, configuration.logFormat, level: configuration.logLevel, write: log.write)
    }
    let connections = try OpenFiles.raised().connections(
      configuration.maxConnections, in: configuration.memoryBudget, loops: loops)
    let listeners = try Listeners.open(configuration)
    let figures = (0..<loops).map { _ in LoopFigures() }
    let metrics = try Self.serveMetrics(
      configuration, Metrics(figures, log, accessLines, shutdown), poller)
    let redis = try Self.superviseRedis(configuration, poller, logger)
    guard let location = configuration.redis ?? redis?.location else {
      preconditionFailure("a Redis is named, or there is a private one")
    }
    let start = configuration.redis == nil ? Self.quietStart : .seconds(0)
    redisLog = RedisLog(logger, location.description, quietUntil: .now + start)
    self.location = location
    (self.configuration, self.logger) = (configuration, logger)
    (self.log, self.accessLines) = (log, accessLines)
    (self.poller, self.signals, self.shutdown) = (poller, signals, shutdown)
    (self.connections, self.figures, self.script) = (connections, figures, script)
    self.listeners = listeners
    self.metrics = metrics
    self.redis = redis
  }

  private static func serveMetrics(
    _ configuration: Configuration, _ metrics: Metrics, _ poller: Poller
  ) throws(Failure) -> MetricsServer? {
    guard configuration.metricsPort != 0 else { return nil }
    let listener = try Listeners.openMetrics(configuration)
    let owners = Server.Owners(
      listener: Owner.metricsListener.rawValue, connections: Owner.metricsConnection.rawValue)
    do throws(SystemError) {
      return try MetricsServer(listener, metrics, poller, owners)
    } catch {
      throw .system(error)
    }
  }

  /// - Returns: nil when a Redis is named, which others run.
  private static func superviseRedis(
    _ configuration: Configuration, _ poller: Poller, _ logger: Logger
  ) throws(Failure) -> RedisSupervisor? {
    guard configuration.redis == nil else { return nil }
    do throws(PrivateRedis.Failure) {
      return try RedisSupervisor(in: configuration.dataFolder, poller, Owner.redis.token, logger)
    } catch {
      throw .noRedis(configuration.dataFolder, error)
    }
  }
}

extension Application.Failure {
  fileprivate static func noRedis(_ folder: String, _ error: PrivateRedis.Failure) -> Self {
    .unavailable(error == .notInstalled ? "\(error)" : "\(folder): \(error)")
  }
}

// MARK: - The main thread's loop

extension Application {
  /// Runs the program until SIGTERM, SIGINT or SIGHUP asks it to stop.
  ///
  /// The caller holds no value of this type: the build would not notice that the layout of a module
  /// below has changed it, and the caller would destroy it by its old layout.
  package static func run(
    _ configuration: Configuration, script: BatchScript = .exactlyOnce
  ) throws(Failure) -> Outcome {
    var application = try Application(configuration, script: script)
    return try application.run()
  }

  private mutating func run() throws(Failure) -> Outcome {
    do throws(SystemError) {
      logStart()
      let threads = try startLoops()
      var events = Events()
      while !isOver {
        try poller.wait(from: .now, until: nextDeadline(), &events)
        let now = Instant.now
        metrics?.beginRound(now)
        for index in 0..<events.count { handleEvent(events[index], now) }
        endRound(now)
      }
      threads.join()
    } catch {
      throw .system(error)
    }
    if let failure { throw failure }
    if let error = shutdown.failure { throw .system(error) }
    return isForced || shutdown.cutOff > 0 ? .cutOff : .clean
  }

  private var isOver: Bool { if case .over = phase { true } else { false } }

  private mutating func nextDeadline() -> Instant {
    var deadline = min(metrics?.deadline ?? .never, redis?.deadline ?? .never)
    if case .flushingLogs(_, let limit) = phase { deadline = min(deadline, limit) }
    return deadline
  }

  private mutating func handleEvent(_ event: Event, _ now: Instant) {
    switch Owner(rawValue: event.token.owner) {
    case .signals:
      while let signal = signals.next() { handleSignal(signal, now) }
    case .redis:
      handleRedisEnd(now)
    case .metricsListener, .metricsConnection:
      metrics?.handleEvent(event)
    case .logs:
      handleFlush(event)
    case .loops, nil:
      shutdown.loopEnded.reset()
    }
  }

  /// Does what is due: first the private redis-server, whose end may end the phase, then the phase.
  private mutating func endRound(_ now: Instant) {
    metrics?.endRound()
    do throws(PrivateRedis.Failure) {
      try redis?.endRound(now, hasConnected: redisLog.hasConnected)
    } catch {
      giveUp(error)
    }
    advancePhase(now)
  }

  private mutating func handleRedisEnd(_ now: Instant) {
    do throws(PrivateRedis.Failure) {
      try redis?.handleEvent(now, hasConnected: redisLog.hasConnected)
    } catch {
      giveUp(error)
    }
  }

  /// Ends the program because there will be no redis-server.
  private mutating func giveUp(_ error: PrivateRedis.Failure) {
    failure = failure ?? .noRedis(configuration.dataFolder, error)
    shutdown.abort()
  }
}

// MARK: - The stop

extension Application {
  /// Begins to drain. A second signal ends the program at once, whatever it waits for.
  private mutating func handleSignal(_ signal: CInt, _ now: Instant) {
    guard shutdown.stage == .serving else {
      logger.warning("asked again to stop: ending at once")
      isForced = true
      shutdown.abort()
      redis?.kill(now)
      if case .flushingLogs = phase { phase = .over }
      return
    }
    let limit = configuration.drainTimeout
    let names = [SIGTERM: "SIGTERM", SIGINT: "SIGINT", SIGHUP: "SIGHUP"]
    logger.notice("draining for at most \(limit.seconds) s after \(names[signal] ?? "a signal")")
    shutdown.drain(until: now + limit)
  }

  /// Goes on to the next phase when what this phase waits for has come.
  private mutating func advancePhase(_ now: Instant) {
    if case .running = phase, shutdown.isOver {
      if shutdown.stage == .aborting { redis?.kill(now) } else { redis?.stop(now) }
      phase = .stoppingRedis
    }
    if case .stoppingRedis = phase, redis?.isStopped ?? true {
      logStop()
      beginFlush(now)
    }
    if case .flushingLogs(let remaining, let limit) = phase, remaining == 0 || now >= limit {
      phase = .over
    }
  }

  private func logStop() {
    guard failure == nil, shutdown.failure == nil else { return }
    let cutOff = shutdown.cutOff
    logger.notice("stopped\(cutOff == 0 ? "" : ", \(cutOff) connections were cut off")")
  }

  private mutating func beginFlush(_ now: Instant) {
    var remaining = 0
    for (slot, writer) in writers.enumerated() {
      writer.end()
      let token = Token(owner: Owner.logs.rawValue, slot: UInt32(slot))
      if (try? poller.add(writer.endedDescriptor, .read, token)) != nil { remaining += 1 }
    }
    let time = isForced ? Self.shortFlushTime : Self.flushTime
    phase = .flushingLogs(remaining: remaining, until: now + time)
  }

  private mutating func handleFlush(_ event: Event) {
    guard case .flushingLogs(let remaining, let limit) = phase else { return }
    poller.remove(writers[Int(event.token.slot)].endedDescriptor)
    phase = .flushingLogs(remaining: remaining - 1, until: limit)
  }

  private var writers: [LineWriter] { [log] + (accessLines.map { [$0] } ?? []) }
}

// MARK: - The event loops

extension Application {
  private mutating func startLoops() throws(SystemError) -> Threads {
    var threads = Threads()
    for number in 0..<configuration.threads {
      let socket = listeners.release()
      let share = OpenFiles.share(ofLoop: number, of: configuration.threads, in: connections)
      let limits = configuration.limits(connections: share)
      let (configuration, location, shutdown) = (configuration, location, shutdown)
      let (redisLog, logger) = (redisLog, logger)
      let (figures, accessLines, script) = (figures[number], accessLines, script)
      threads.append(
        try Thread(name: "loop \(number)") {
          do throws(SystemError) {
            let listener = try Listener(owning: socket)
            var loop = try EventLoop(
              number, listener, redis: location, configuration, limits, shutdown, redisLog, logger,
              figures, accessLines: accessLines, script)
            shutdown.recordEnd(cutOff: try loop.run())
          } catch {
            shutdown.recordFailure(error)
          }
        })
    }
    return threads
  }

  private func logStart() {
    let loops = "\(configuration.threads) loop\(configuration.threads == 1 ? "" : "s")"
    logger.notice(
      """
      listening on \(listeners.address) with \(loops) for at most \(connections) connections, \
      counting in \(location)
      """)
    if metrics != nil {
      let address = Listeners.address(configuration.host, configuration.metricsPort)
      logger.notice("metrics on \(address)")
    }
    guard let budget = configuration.memoryBudget else { return }
    let mebibytes = budget.limit >> 20
    if budget.isTooSmall {
      logger.warning("a memory limit of \(mebibytes) MiB is too small for \(loops)")
    } else if connections > budget.connections {
      logger.warning(
        """
        \(connections) connections may take more than the memory limit of \(mebibytes) MiB; \
        \(budget.connections) fit
        """)
    }
  }
}

/// The threads of the event loops.
private struct Threads: ~Copyable {
  private var threads = UniqueArray<Thread>()

  mutating func append(_ thread: consuming Thread) {
    threads.append(thread)
  }

  /// Waits for all of them to end.
  consuming func join() {
    while let thread = threads.popLast() { thread.join() }
  }
}
