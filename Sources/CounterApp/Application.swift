import AccessLog
import BasicContainers
import CLinux
package import Counting
import Glibc
import HTTP
import Logging
import Redis
import System

/// The program from start to stop.
///
/// The event loops serve, each on a thread of its own. The main thread has a loop as well: it hears
/// signals, supervises the private redis-server if there is one, and serves the metrics. It never
/// waits anywhere but in its poller, so that a signal is heard at any time.
///
/// The event loops serve from the beginning: `/health` is answered while a private redis-server
/// loads its data, and `/ready` tells when visits can be counted.
package final class Application {
  private let configuration: Configuration
  private let log: LineWriter
  private let accessLines: LineWriter?
  private let logger: Logger
  private let poller: Poller
  private let signals: Signals
  private let shutdown: Shutdown
  private let connections: Int
  private let streams: Int
  private let script: BatchScript
  private let figures: [LoopFigures]
  private let redisLog: RedisLog
  private let location: RedisAddress
  private var listeners: UniqueArray<Listener>
  private var metrics: MetricsServer?
  private let tokens: TokenStore
  private var tokenFile: TokenFile?
  private let redis: RedisSupervisor?
  private var phase = Phase.running

  /// When the drain begins; nil before a signal, and once it has begun.
  private var drainStart: Instant?

  /// Until when another SIGHUP is no second signal: the shell and the kernel both send one when a
  /// terminal is closed.
  private var hangUpEnd = Instant(nanoseconds: 0)

  /// Why there will be no private redis-server.
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

  /// Something that the program needs is missing or taken.
  package struct Failure: Error, CustomStringConvertible {
    /// The reason in one line.
    package let description: String

    init(_ description: String) {
      self.description = description
    }
  }

  /// The phases of the program's life.
  private enum Phase: Equatable {
    /// Event loops run; `Shutdown` says whether they serve or drain.
    case running
    /// The event loops have ended, and the private redis-server is ending.
    case stoppingRedis
    /// The last lines are written to the log and the access log.
    case flushingLogs(until: Instant)
    case over
  }

  /// The owners of events.
  private enum Owner: UInt8 {
    case signals
    case ends
    case redis
    case metricsListener
    case metricsConnection

    var token: Token { Token(owner: rawValue) }
  }

  /// Opens everything that the program needs, so that it does not start in part.
  ///
  /// - Parameter script: adds the visits; tests replace it by a wrong one.
  private init(_ configuration: Configuration, script: BatchScript) throws {
    self.configuration = configuration
    self.script = script
    // First of all: the signals must be taken before there is another thread.
    signals = try Signals(SIGTERM, unlessIgnored: [SIGINT, SIGHUP])
    Signals.ignoreBrokenPipes()
    let log = try LineWriter(to: STDERR_FILENO)
    self.log = log
    accessLines = configuration.logsAccess ? try LineWriter(to: STDOUT_FILENO) : nil
    logger = Logger(label: "counter") { label in
      LineLogHandler(
        label: label, configuration.logFormat, level: configuration.logLevel, write: log.write)
    }
    poller = try Poller()
    try poller.add(signals.descriptor, .read, Owner.signals.token)
    let loops = configuration.threads
    shutdown = try Shutdown(loops: loops)
    try poller.add(shutdown.partEnded.descriptor, .read, Owner.ends.token)
    connections = try OpenFiles.raised().connections(
      configuration.maxConnections, in: configuration.memoryBudget, loops: loops)
    streams = try OpenFiles.streams(configuration.maxStreams, of: connections, loops: loops)
    let listeners = try Self.openListeners(configuration.host, configuration.port, count: loops)
    figures = (0..<loops).map { _ in LoopFigures() }
    let metrics = try Self.serveMetrics(
      configuration,
      Metrics(
        loops: figures, log: log, accessLines: accessLines, shutdown: shutdown,
        mostCounters: configuration.maxCounters, mostStreams: streams), poller)
    do {
      redis =
        configuration.redis == nil
        ? try RedisSupervisor(
          in: configuration.dataFolder, maxMemory: configuration.privateRedisMemory, poller,
          Owner.redis.token, logger) : nil
    } catch {
      throw Self.noRedis(in: configuration.dataFolder, error)
    }
    guard let location = configuration.redis ?? redis?.installation.location else {
      preconditionFailure("a Redis is named, or there is a private one")
    }
    self.location = location
    tokens = TokenStore(configuration.tokens)
    if let file = configuration.tokenFile {
      tokenFile = TokenFile(file, adminToken: configuration.adminToken, tokens, logger)
    }
    // A private redis-server may load for so long before the log says that Redis is not there.
    let start = redis == nil ? Interval.seconds(0) : .seconds(30)
    redisLog = RedisLog(logger, "\(location)", quietUntil: .now + start)
    self.listeners = listeners
    self.metrics = metrics
  }

  /// Opens the listeners of event loops, all on the same port.
  ///
  /// - Parameters:
  ///   - name: the setting that an error names.
  ///   - advice: what an error says that another program can cause.
  private static func openListeners(
    _ host: String, _ port: UInt16, count: Int, name: String = "", advice: String = ""
  ) throws(Failure) -> UniqueArray<Listener> {
    var port = port
    var listeners = UniqueArray<Listener>()
    do throws(SystemError) {
      if port != 0 { try Listener.check(host: host, port: port) }
      for _ in 0..<count {
        let listener = try Listener(host: host, port: port)
        port = listener.port
        listeners.append(listener)
      }
    } catch {
      let address = "\(name)\(HostPort(host: host, port: port))"
      throw error.code == EADDRINUSE
        ? Failure("\(address) is in use by another program\(advice)")
        : Failure("\(address) cannot be listened on: \(error.reason)")
    }
    return listeners
  }

  private static func serveMetrics(
    _ configuration: Configuration, _ metrics: Metrics, _ poller: Poller
  ) throws -> MetricsServer? {
    guard configuration.metricsPort != 0 else { return nil }
    var listeners = try openListeners(
      configuration.host, configuration.metricsPort, count: 1, name: "--metrics-port: ",
      advice: "; 0 turns the metrics off")
    let owners = Server.Owners(
      listener: Owner.metricsListener.rawValue, connections: Owner.metricsConnection.rawValue)
    return try MetricsServer(listeners.removeLast(), metrics, poller, owners)
  }

  private static func noRedis(in folder: String, _ error: any Error) -> Failure {
    switch error {
    case let failure as Failure: failure
    case let error as SystemError:
      Failure("\(folder): the data folder cannot be used: \(error.reason)")
    default: Failure("\(folder): \(error)")
    }
  }
}

// MARK: - The main thread's loop

extension Application {
  /// Runs the program until SIGTERM, SIGINT or SIGHUP asks it to stop.
  package static func run(
    _ configuration: Configuration, script: BatchScript = .exactlyOnce
  ) throws -> Outcome {
    try Application(configuration, script: script).run()
  }

  private func run() throws -> Outcome {
    logStart()
    var threads = try startLoops()
    var events = Events()
    while phase != .over {
      try poller.wait(from: .now, until: nextDeadline(), &events)
      let now = Instant.now
      metrics?.beginRound(now)
      for index in 0..<events.count { handleEvent(events[index], now) }
      endRound(now)
    }
    while let thread = threads.popLast() { thread.join() }
    if let failure { throw failure }
    if let error = shutdown.failure { throw error }
    return isForced || shutdown.cutOff > 0 ? .cutOff : .clean
  }

  private func nextDeadline() -> Instant {
    var deadline = min(metrics?.deadline ?? .never, redis?.deadline ?? .never)
    if let drainStart { deadline = min(deadline, drainStart) }
    if let tokenDeadline = tokenFile?.deadline { deadline = min(deadline, tokenDeadline) }
    if case .flushingLogs(let limit) = phase { deadline = min(deadline, limit) }
    return deadline
  }

  private func handleEvent(_ event: Event, _ now: Instant) {
    switch Owner(rawValue: event.token.owner) {
    case .signals:
      while let signal = signals.next() { handleSignal(signal, now) }
    case .metricsListener, .metricsConnection:
      metrics?.handleEvent(event)
    case .redis:
      // The end of the round asks the supervisor.
      break
    case .ends, nil:
      shutdown.partEnded.reset()
    }
  }

  /// Does what is due: first the private redis-server, whose end may end the phase, then the phase.
  private func endRound(_ now: Instant) {
    metrics?.endRound()
    tokenFile?.endRound(now)
    do {
      try redis?.endRound(now, hasConnected: redisLog.hasConnected)
    } catch {
      failure = failure ?? Self.noRedis(in: configuration.dataFolder, error)
      shutdown.abort()
    }
    drainIfDue(now)
    advancePhase(now)
  }
}

// MARK: - The stop

extension Application {
  /// Begins to drain. A second signal ends the program at once, whatever it waits for.
  private func handleSignal(_ signal: CInt, _ now: Instant) {
    if signal == SIGHUP {
      guard now >= hangUpEnd else { return }
      hangUpEnd = now + .milliseconds(500)
    }
    guard shutdown.stage == .serving, drainStart == nil else {
      logger.warning("asked again to stop: ending at once")
      isForced = true
      shutdown.abort()
      redis?.stop(now, isForced: true)
      if case .flushingLogs = phase { phase = .over }
      return
    }
    let names = [SIGTERM: "SIGTERM", SIGINT: "SIGINT", SIGHUP: "SIGHUP"]
    let (delay, limit) = (configuration.drainDelay, configuration.drainTimeout)
    let later = delay == .seconds(0) ? "" : "in \(delay.seconds) s, "
    let reason = names[signal] ?? "a signal"
    logger.notice("draining \(later)for at most \(limit.seconds) s after \(reason)")
    if delay > .seconds(0) { shutdown.leave() }
    drainStart = now + delay
  }

  /// Begins to drain when the delay is over.
  private func drainIfDue(_ now: Instant) {
    guard let start = drainStart, now >= start else { return }
    drainStart = nil
    if shutdown.stage != .aborting { shutdown.drain(until: now + configuration.drainTimeout) }
  }

  /// Goes on to the next phase when what this phase waits for has come.
  private func advancePhase(_ now: Instant) {
    if phase == .running, shutdown.isOver {
      redis?.stop(now, isForced: shutdown.stage == .aborting)
      phase = .stoppingRedis
    }
    if phase == .stoppingRedis, redis?.isStopped ?? true {
      logStop()
      for writer in writers { writer.end(ringing: shutdown.partEnded) }
      // A second signal ends the program at once, so that little time is left then.
      phase = .flushingLogs(until: now + .milliseconds(isForced ? 100 : 1000))
    }
    if case .flushingLogs(let limit) = phase, writers.allSatisfy(\.isEnded) || now >= limit {
      phase = .over
    }
  }

  private func logStop() {
    guard failure == nil, shutdown.failure == nil else { return }
    let cutOff = shutdown.cutOff
    logger.notice("stopped\(cutOff == 0 ? "" : ", \(cutOff) connections were cut off")")
  }

  private var writers: [LineWriter] { [log] + (accessLines.map { [$0] } ?? []) }
}

// MARK: - The event loops

extension Application {
  private func startLoops() throws(SystemError) -> UniqueArray<Thread> {
    var threads = UniqueArray<Thread>()
    for number in 0..<configuration.threads {
      let socket = listeners.removeLast().release()
      let share = OpenFiles.share(ofLoop: number, of: configuration.threads, in: connections)
      let limits = configuration.limits(connections: share)
      let streams = OpenFiles.share(ofLoop: number, of: configuration.threads, in: streams)
      let (configuration, location, shutdown) = (configuration, location, shutdown)
      let (redisLog, logger) = (redisLog, logger)
      let (figures, accessLines, script) = (figures[number], accessLines, script)
      let access = Access(
        namespaces: configuration.namespaces, origins: configuration.origins, tokens: tokens)
      threads.append(
        try Thread(name: "loop \(number)") {
          do throws(SystemError) {
            let listener = try Listener(owning: socket)
            var loop = try EventLoop(
              number, listener, redis: location, configuration, limits, streams: streams, shutdown,
              redisLog,
              logger, figures, access, accessLines: accessLines, script)
            shutdown.recordEnd(.success(try loop.run()))
          } catch {
            shutdown.recordEnd(.failure(error))
          }
        })
    }
    return threads
  }

  private func logStart() {
    let loops = "\(configuration.threads) loop\(configuration.threads == 1 ? "" : "s")"
    let address = HostPort(host: configuration.host, port: listeners[0].port)
    logger.notice(
      """
      listening on \(address) with \(loops) for at most \(connections) connections, \
      counting in \(location)
      """)
    if metrics != nil {
      let address = HostPort(host: configuration.host, port: configuration.metricsPort)
      logger.notice("metrics on \(address)")
    }
    if configuration.tokens.hasWeak {
      logger.warning("\(Tokens.weakness)")
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
