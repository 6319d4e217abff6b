import AccessLog
import Counting
import HTTP
import Logging
import Redis
import System
import Telemetry

/// One event loop, on a thread of its own: a listener and its connections, the visits that wait for
/// their numbers, and the connection to Redis.
///
/// A round waits for events, hands each to the part that it belongs to, and ends with the steps of
/// `endRound`. No part calls the loop back: the loop collects requests from the server and outcomes from
/// the group commit, and gives each to the other.
struct EventLoop: ~Copyable {
  private let number: Int
  private let minReplicas: Int
  private let poller: Poller
  private let shutdown: Shutdown
  private let wakeup: Wakeup
  private let redisLog: RedisLog
  private let logger: Logger
  private var pages = Pages()
  private let counterScript = EmbeddedFile.script
  private let figures: LoopFigures
  private let accessLog: AccessLog?

  private var server: Server
  private var counting: GroupCommit
  private var counters: CounterService
  private var live: LiveService
  private var now = Instant.now

  /// While draining, when idle connections are closed; nil while serving.
  private var idleDeadline: Instant?

  /// Whether the log was told that clients wait in the backlog, and when it may be told again.
  private var hasWarned = false
  private var nextWarning = Instant(nanoseconds: 0)

  /// What the log was told about Redis, and when it has to be told again.
  private var loggedRedis = LoggedRedis.unknown
  private var loggedError: String?
  private var survey: Survey?
  private var nextReport = Instant(nanoseconds: 0)

  private enum LoggedRedis {
    case unknown
    case ready
    case lost(RedisError?)
  }

  /// The part of the loop that an event belongs to.
  private enum Owner: UInt8 {
    case wakeup
    case listener
    case connection
    case redis
  }

  /// While draining, a keep-alive connection may send one more request within this time. Its response
  /// is the last one.
  private static var idleGrace: Interval { .seconds(2) }

  /// The first loop surveys Redis so often, for the log and the metrics.
  private static var surveyInterval: Interval { .seconds(15) }

  /// - Parameters:
  ///   - number: the loop's place among all loops.
  ///   - limits: for the clients of this loop.
  ///   - streams: how many of the connections may be streams.
  ///   - access: which namespaces there are, and who may manage counters.
  ///   - accessLines: takes the lines of the access log, if there is one.
  init(
    _ number: Int, _ listener: consuming Listener, redis: RedisAddress,
    _ configuration: Configuration, _ limits: Limits, streams: Int, _ shutdown: Shutdown,
    _ redisLog: RedisLog,
    _ logger: Logger, _ figures: LoopFigures, _ access: Access, accessLines: LineWriter?,
    _ script: BatchScript
  ) throws(SystemError) {
    let poller = try Poller()
    let wakeup = shutdown.wakeup(ofLoop: number)
    try poller.add(wakeup.descriptor, .read, Token(owner: Owner.wakeup.rawValue))
    let accessLog = accessLines.map(configuration.accessLog)
    let server = try Server(
      listener, routes: Endpoint.allCases.map(\.route), limits: limits, poller,
      Server.Owners(
        listener: Owner.listener.rawValue, connections: Owner.connection.rawValue),
      figures: figures.server, trustedProxies: configuration.trustedProxies, observer: accessLog)
    let counting = try GroupCommit(
      mostCounters: configuration.maxCounters, in: redis, timeout: configuration.visitTimeout,
      minReplicas: configuration.minReplicas,
      surveyInterval: number == 0 ? Self.surveyInterval : nil, poller, owner: Owner.redis.rawValue,
      figures: figures.counting, script: script)
    self.server = server
    self.counting = counting
    self.number = number
    minReplicas = configuration.minReplicas
    self.poller = poller
    self.shutdown = shutdown
    self.wakeup = wakeup
    self.redisLog = redisLog
    self.logger = logger
    self.figures = figures
    counters = CounterService(access, figures)
    live = LiveService(access, mostStreams: streams, figures)
    self.accessLog = accessLog
  }

  /// Serves until the program stops and the loop has drained.
  ///
  /// - Returns: how many connections were cut off.
  mutating func run() throws(SystemError) -> Int {
    var events = Events()
    while !isOver {
      try poller.wait(from: now, until: deadline, &events)
      beginRound()
      for index in 0..<events.count { handleEvent(events[index]) }
      endRound()
    }
    let cutOff = server.unsettledConnections
    // The access log is told of the requests that are cut off.
    server.closeAll()
    accessLog?.endRound()
    return cutOff
  }

  private var deadline: Instant {
    var deadline = min(
      min(server.deadline, counting.deadline), min(live.deadline, counters.deadline))
    if let idleDeadline { deadline = min(deadline, min(idleDeadline, shutdown.drainDeadline)) }
    return deadline
  }

  private var isDraining: Bool { idleDeadline != nil }

  private var isOver: Bool {
    switch shutdown.stage {
    case .serving, .leaving: false
    case .draining: isDraining && (server.openConnections == 0 || now >= shutdown.drainDeadline)
    case .aborting: true
    }
  }
}

// MARK: - A round

extension EventLoop {
  private mutating func beginRound() {
    now = .now
    figures.rounds.add(1)
    accessLog?.beginRound(now)
    server.beginRound(now)
    counting.beginRound(now)
    live.beginRound(now)
    counters.beginRound(now, &server)
  }

  private mutating func handleEvent(_ event: Event) {
    switch Owner(rawValue: event.token.owner) {
    case .connection, .listener:
      server.handleEvent(event)
    case .redis:
      counting.handleEvent(event)
      takeOutcomes()
    case .wakeup, nil:
      wakeup.reset()
    }
  }

  /// Ends a round. The steps depend on each other in this order.
  private mutating func endRound() {
    // Draining changes which response of a connection is the last, so it begins before any is written.
    drainIfDue()
    live.readIfDue(&server, &counting)
    // The outcomes of this round become responses before further requests are read. Responses that
    // were sent let connections go on that had pipelined too much.
    repeat {
      takeOutcomes()
      server.sendResponses()
    } while takeRequests()
    // All visits of the round are in: the batch can go. Redis counts it while the responses are sent.
    counting.endRound()
    server.endRound()
    // The logs come last. No client waits for them.
    accessLog?.endRound()
    logRedis()
    logAcceptance()
    if number == 0, counting.survey != survey { reportSurvey() }
  }

  private mutating func drainIfDue() {
    if let idleDeadline {
      guard now >= idleDeadline else { return }
      server.closeIdle()
      self.idleDeadline = now + .milliseconds(100)
    } else if shutdown.stage == .leaving {
      server.closeAfterResponses()
    } else if shutdown.stage == .draining {
      idleDeadline = now + min(Self.idleGrace, (shutdown.drainDeadline - now) / 2)
      server.drain()
      live.drain(&server)
    }
  }
}

// MARK: - Requests and outcomes

extension EventLoop {
  /// Hands each request to its endpoint.
  ///
  /// - Returns: whether there was any.
  private mutating func takeRequests() -> Bool {
    var hasAny = false
    while let request = server.nextRequest() {
      hasAny = true
      switch Endpoint(rawValue: request.route) {
      case .visit:
        guard !counting.visit(request.exchange.ticket) else { continue }
        respondUnavailable(request.exchange)
      case .health:
        server.respond(request.exchange, pages.health, ConstantBody(Pages.healthy))
      case .ready:
        respondReadiness(request.exchange)
      case .script:
        counterScript.respond(request, &server)
      case .some(let endpoint) where endpoint.isLive:
        live.handle(endpoint, request, &server, &counting)
      case .some(let endpoint):
        counters.handle(endpoint, request, &server, &counting)
      case nil:
        preconditionFailure("each route is that of an endpoint")
      }
    }
    return hasAny
  }

  private mutating func respondReadiness(_ exchange: Exchange) {
    if shutdown.stage != .serving {
      server.respond(exchange, pages.unavailable, Pages.isDraining)
    } else if let outage = counting.partialOutage {
      server.respond(exchange, pages.ready, TextBody("ready, but \(outage)"))
    } else if !counting.isConnected {
      if let reason = counting.redisError?.publicReason {
        server.respond(exchange, pages.unavailable, TextBody(reason))
      } else {
        server.respond(exchange, pages.unavailable, Pages.isWithoutRedis)
      }
    } else if let shortage = replicaShortage {
      server.respond(exchange, pages.unavailable, TextBody(shortage))
    } else {
      server.respond(exchange, pages.ready, Pages.isReady)
    }
  }

  /// Why visits are not answered though Redis counts them; nil when enough replicas have them.
  private var replicaShortage: String? {
    guard minReplicas > 0, (counting.replicas ?? 0) < minReplicas else { return nil }
    return "\(counting.replicas ?? 0) of \(minReplicas) replicas of Redis answer"
  }

  /// Responds to the visits whose outcome is known.
  private mutating func takeOutcomes() {
    while let outcome = counting.nextOutcome() {
      let ticket = AnswerTicket(ticket: outcome.ticket)
      guard ticket.form == .page else {
        if ticket.form == .watched {
          live.handleOutcome(outcome.result, ticket, &server)
        } else {
          counters.handleOutcome(outcome.result, ticket, &server)
        }
        continue
      }
      guard case .number(let number) = outcome.result else {
        respondUnavailable(ticket.exchange)
        continue
      }
      let isDelivered = pages.respondVisit(ticket.exchange, number, &server)
      recordVisit(isDelivered, figures.counted)
    }
    while let page = counting.nextPage() { counters.handlePage(page, &server) }
  }

  private mutating func respondUnavailable(_ exchange: Exchange) {
    let isDelivered = server.respond(exchange, pages.notCounted, Pages.retryLater)
    recordVisit(isDelivered, figures.unavailable)
  }

  /// Counts a visit under its outcome, or as abandoned when its client has left.
  @inline(__always)
  private func recordVisit(_ isDelivered: Bool, _ outcome: borrowing RelaxedCounter) {
    if isDelivered { outcome.add(1) } else { figures.abandoned.add(1) }
  }
}

// MARK: - The log

extension EventLoop {
  /// Tells the log when clients begin to wait in the backlog, and when they are accepted again.
  private mutating func logAcceptance() {
    switch server.acceptance {
    case .full:
      guard !hasWarned else { return }
      warn("as many connections as may be are open, \(server.openConnections) in this loop")
    case .paused(_, let error):
      warn("no more connections can be accepted: \(error.reason)")
    case .open:
      guard hasWarned else { return }
      hasWarned = false
      logger.notice("connections are accepted again")
    }
  }

  /// Logs a warning, once a minute at most: the reason can change with every client.
  private mutating func warn(_ reason: String) {
    guard !hasWarned, now >= nextWarning else { return }
    hasWarned = true
    nextWarning = now + .seconds(60)
    logger.warning("\(reason)")
  }

  /// Tells the log what has changed about Redis, and every second that it has not come back.
  private mutating func logRedis() {
    if case .ready = loggedRedis, counting.isCounting, loggedError == nil { return }
    logBatchError()
    // A connection that was dropped because a batch was refused is no news besides the refusal.
    let isBetweenAttempts =
      if case .refused(let error) = counting.redisError { error == loggedError } else { false }
    switch (loggedRedis, counting.isConnected || isBetweenAttempts) {
    case (.ready, true):
      break
    case (.lost, true) where !counting.isConnected:
      break
    case (.unknown, false) where counting.redisError == nil:
      break
    case (.unknown, true), (.lost, true):
      loggedRedis = .ready
      redisLog.connectionReady(loop: number, now: now)
    case (.unknown, false), (.ready, false):
      logLoss()
    case (.lost(let last), false):
      guard let error = counting.redisError, error != last || now >= nextReport else { return }
      logLoss()
    }
  }

  private mutating func logLoss() {
    loggedRedis = .lost(counting.redisError)
    nextReport = now + .seconds(1)
    let reason = counting.redisErrorText ?? "no connection yet"
    redisLog.connectionLost(reason, loop: number, now: now)
  }

  private mutating func reportSurvey() {
    survey = counting.survey
    guard let survey else { return }
    figures.counters.set(Int(survey.counters))
    figures.risks.record(survey.risks)
    redisLog.surveyed(survey.risks)
  }

  private mutating func logBatchError() {
    // Without a connection it is not known how many replicas there are: no news, and not good news.
    if counting.lastError == nil, minReplicas > 0, counting.replicas == nil { return }
    let error = counting.lastError ?? replicaShortage
    guard error != loggedError || (error != nil && now >= nextReport) else { return }
    loggedError = error
    nextReport = now + .seconds(1)
    if let error {
      redisLog.batchRefused(error, now: now)
    } else {
      redisLog.batchCounted()
    }
  }
}
