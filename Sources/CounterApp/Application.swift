import AccessLog
import BasicContainers
import CLinux
package import System
import Glibc
import HTTP
import Logging
import Redis

/// The program from start to stop: what it needs, its loops, its drain.
///
/// The loops serve, each on a thread of its own; this waits for signals, and sees to the private
/// redis-server if there is one.
package struct Application: ~Copyable {
  private let configuration: Configuration
  private let log: LineWriter
  private let logger: Logger
  private let poller: Poller
  private let signals: Signals
  private let control: Control
  private let connections: Int
  private let figures: [LoopFigures]
  private var metrics: MetricsServer?
  private let accessLines: LineWriter?
  private var listeners: UniqueArray<Listener>

  private var privateRedis: PrivateRedis?
  private var redisStarts = Backoff(from: .milliseconds(10), to: .seconds(1))
  private var redisStartedAt = Instant.now
  private var redisStartsAt = Instant.never

  /// How a stop went.
  package enum Outcome: Sendable {
    /// Everything was answered.
    case clean
    /// The drain limit, or a second signal, cut something off.
    case cutOff
  }

  /// Why the program cannot run.
  package enum Failure: Error, CustomStringConvertible {
    /// Something it needs is missing or taken; the reason is one line.
    case unavailable(String)
    /// The kernel refused what no program can do without.
    case system(SystemError)

    /// The reason in one line.
    package var description: String {
      switch self {
      case .unavailable(let reason): reason
      case .system(let error): error.description
      }
    }
  }

  /// Whose event it is.
  private enum Owner: UInt8 {
    case signals
    case loops
    case redis
    case metricsListener
    case metricsConnection
  }

  /// Gets hold of everything the program needs, so that nothing starts half.
  package init(_ configuration: Configuration) throws(Failure) {
    let log: LineWriter
    let poller: Poller
    let signals: Signals
    let control: Control
    do throws(SystemError) {
      // Before there is any thread that signals could interrupt.
      signals = try Signals(SIGTERM, SIGINT, SIGHUP)
      Signals.ignoreBrokenPipes()
      log = try LineWriter(to: STDERR_FILENO)
      poller = try Poller()
      control = try Control(loops: configuration.threads)
      try poller.add(signals.descriptor, .read, Token(owner: Owner.signals.rawValue))
      try poller.add(control.loopEnded.descriptor, .read, Token(owner: Owner.loops.rawValue))
    } catch {
      throw .system(error)
    }
    let connections = try OpenFiles.raised()
      .connections(configuration.maxConnections, loops: configuration.threads)
    let listeners = try Self.listen(configuration)
    let accessLines = try Self.accessLines(configuration)
    let figures = (0..<configuration.threads).map { _ in LoopFigures() }
    let metrics = try Self.serveMetrics(
      configuration, Metrics(figures, log, accessLines, control), poller)
    let redis = configuration.redis == nil ? try Self.startRedis(configuration) : nil
    let (format, level) = (configuration.logFormat, configuration.logLevel)
    logger = Logger(label: "counter") { label in
      LineLogHandler(label: label, format, level: level, write: log.write)
    }
    self.configuration = configuration
    self.log = log
    self.poller = poller
    self.signals = signals
    self.control = control
    self.connections = connections
    self.listeners = listeners
    self.figures = figures
    self.metrics = metrics
    self.accessLines = accessLines
    privateRedis = redis
  }

  /// Serves until SIGTERM, SIGINT or SIGHUP asks it to stop.
  package mutating func run() throws(Failure) -> Outcome {
    defer { log.finish(by: .now + .seconds(1)) }
    do throws(SystemError) {
      try watchRedis()
      let threads = try startLoops()
      var events = Events()
      while !control.isOver {
        let deadline = min(redisStartsAt, metrics?.deadline ?? .never)
        try poller.wait(from: .now, until: deadline, &events)
        let now = Instant.now
        metrics?.beginRound(now)
        for index in 0..<events.count { handle(events[index]) }
        metrics?.endRound()
        if now >= redisStartsAt { restartRedis() }
      }
      threads.join()
      accessLines?.finish(by: .now + .seconds(1))
    } catch {
      throw .system(error)
    }
    if privateRedis?.stop(.seconds(10)) == false {
      logger.warning("the private redis-server did not end in time and was killed")
    }
    if let error = control.failure { throw .system(error) }
    let cutOff = control.cutOff
    logger.notice("stopped\(cutOff == 0 ? "" : ", \(cutOff) connections were cut off")")
    return cutOff == 0 ? .clean : .cutOff
  }

  private mutating func handle(_ event: Event) {
    switch Owner(rawValue: event.token.owner) {
    case .signals:
      while let signal = signals.next() { stop(signal) }
    case .redis:
      takeNoteOfRedisEnd()
    case .metricsListener, .metricsConnection:
      metrics?.handleEvent(event)
    case .loops, nil:
      control.loopEnded.reset()
    }
  }

  /// Drains; a second signal ends the program at once.
  private func stop(_ signal: CInt) {
    guard control.stage == .serving else {
      logger.warning("asked again to stop: not draining any longer")
      control.abort()
      return
    }
    let limit = configuration.drainTimeout
    let names = [SIGTERM: "SIGTERM", SIGINT: "SIGINT", SIGHUP: "SIGHUP"]
    logger.notice("draining for at most \(limit.seconds) s after \(names[signal] ?? "a signal")")
    control.drain(until: .now + limit)
  }
}

// MARK: - Listeners and loops

extension Application {
  private static func listen(
    _ configuration: Configuration
  ) throws(Failure) -> UniqueArray<Listener> {
    let host = configuration.host
    var port = configuration.port
    var listeners = UniqueArray<Listener>()
    do throws(Listener.Failure) {
      if port != 0 { try Listener.check(host: host, port: port) }
      for _ in 0..<configuration.threads {
        let listener = try Listener(host: host, port: port)
        port = listener.port
        listeners.append(listener)
      }
      return listeners
    } catch {
      let address = address(host, port)
      switch error {
      case .inUse: throw .unavailable("\(address) is in use by another program")
      case .system(let error):
        throw .unavailable("\(address) cannot be listened on: \(error.reason)")
      }
    }
  }

  /// - Returns: nil when no metrics are asked for.
  private static func serveMetrics(
    _ configuration: Configuration, _ metrics: Metrics, _ poller: Poller
  ) throws(Failure) -> MetricsServer? {
    let (host, port) = (configuration.host, configuration.metricsPort)
    guard port != 0 else { return nil }
    let listener: Listener
    do throws(Listener.Failure) {
      try Listener.check(host: host, port: port)
      listener = try Listener(host: host, port: port)
    } catch {
      let name = "--metrics-port: \(address(host, port))"
      switch error {
      case .inUse:
        throw .unavailable("\(name) is in use by another program; 0 turns the metrics off")
      case .system(let error):
        throw .unavailable("\(name) cannot be listened on: \(error.reason)")
      }
    }
    do throws(SystemError) {
      return try MetricsServer(
        listener, metrics, poller,
        Server.Owners(
          listener: Owner.metricsListener.rawValue,
          connections: Owner.metricsConnection.rawValue))
    } catch {
      throw .system(error)
    }
  }

  /// - Returns: nil when no access log is asked for.
  private static func accessLines(
    _ configuration: Configuration
  ) throws(Failure) -> LineWriter? {
    guard configuration.logsAccess else { return nil }
    do throws(SystemError) {
      return try LineWriter(to: STDOUT_FILENO)
    } catch {
      throw .system(error)
    }
  }

  private static func address(_ host: String, _ port: UInt16) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  private mutating func startLoops() throws(SystemError) -> Threads {
    let location = privateRedis?.location ?? configuration.redis ?? Location(.unix(path: ""))
    let watch = RedisWatch(logger, location.description)
    let address = Self.address(configuration.host, listeners[0].port)
    var threads = Threads()
    for number in 0..<configuration.threads {
      let socket = listeners.removeLast().release()
      let share = OpenFiles.share(ofLoop: number, of: configuration.threads, in: connections)
      let limits = configuration.limits(connections: share)
      let (configuration, control, logger) = (configuration, control, logger)
      let (figures, accessLines) = (figures[number], accessLines)
      threads.append(
        try Thread(name: "loop \(number)") {
          do throws(SystemError) {
            let listener = try Listener(owning: socket)
            var worker = try Worker(
              loop: number, listener, location, configuration, limits, control, watch, logger,
              figures, accessLines)
            control.end(cutOff: try worker.run())
          } catch {
            control.end(failed: error)
          }
        })
    }
    logger.notice(
      """
      listening on \(address) with \(configuration.threads) \
      loop\(configuration.threads == 1 ? "" : "s") for at most \(connections) connections, counting \
      in \(location)
      """)
    if metrics != nil {
      logger.notice("metrics on \(Self.address(configuration.host, configuration.metricsPort))")
    }
    return threads
  }
}

/// The threads of the loops.
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

// MARK: - The private redis-server

extension Application {
  private static func startRedis(
    _ configuration: Configuration
  ) throws(Failure) -> PrivateRedis {
    do throws(PrivateRedis.Failure) {
      let redis = try PrivateRedis.start(in: configuration.dataFolder)
      try redis.waitUntilReady(.seconds(30))
      return redis
    } catch .notInstalled {
      throw .unavailable("\(PrivateRedis.Failure.notInstalled)")
    } catch {
      throw .unavailable("\(configuration.dataFolder): \(error)")
    }
  }

  private mutating func watchRedis() throws(SystemError) {
    guard let descriptor = privateRedis?.descriptor else { return }
    try poller.add(descriptor, .read, Token(owner: Owner.redis.rawValue))
  }

  private mutating func takeNoteOfRedisEnd() {
    logger.error("the private redis-server ended (its log tells more); starting it again")
    privateRedis?.reap()
    if Instant.now - redisStartedAt > .seconds(10) { redisStarts.succeeded() }
    redisStartsAt = .now + redisStarts.failed()
  }

  private mutating func restartRedis() {
    redisStartsAt = .never
    redisStartedAt = .now
    do throws(PrivateRedis.Failure) {
      try privateRedis?.start()
      try? watchRedis()
    } catch {
      logger.error("\(error)")
      redisStartsAt = .now + redisStarts.failed()
    }
  }
}
