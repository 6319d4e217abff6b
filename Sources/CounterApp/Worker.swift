import AccessLog
import Counting
import System
import Telemetry
import HTTP
import Logging
import Redis

/// One event loop: its listener and connections, its batch, its connection to Redis.
///
/// `run` is the whole loop: wait, do what the events call for, send and flush what came together.
struct Worker: ~Copyable {
  private let poller: Poller
  private let control: Control
  private let wakeup: Wakeup
  private let watch: RedisWatch
  private let logger: Logger
  private var pages = Pages()
  private let figures: LoopFigures

  private var server: Server
  private var counter: Counter
  private var now = Instant.now

  /// The next round begins at once, whether or not there are events.
  private var looksAgain = false

  /// While draining, when connections that are idle are closed.
  private var idleUntil = Instant.never
  private var isDraining = false

  /// What the log knows of accepting: whether it was told of trouble, and when it may be told again.
  private var canAccept = true
  private var nextWarning = Instant(nanoseconds: 0)

  /// What the log knows of Redis.
  private var redis = RedisAsLogged.unknown
  private var refusal: String?

  private enum RedisAsLogged {
    case unknown
    case found
    case lost(Failure?)
  }

  /// Whose event it is.
  private enum Owner: UInt8 {
    case wakeup
    case listener
    case connection
    case redis
  }

  /// Keep-alive connections get so long to send one more request, whose answer is the last.
  private static var idleGrace: Interval { .seconds(2) }

  init(
    loop number: Int, _ listener: consuming Listener, _ location: Location,
    _ configuration: Configuration, _ limits: Limits, _ control: Control, _ watch: RedisWatch,
    _ logger: Logger, _ figures: LoopFigures, _ accessLines: LineWriter?
  ) throws(SystemError) {
    let poller = try Poller()
    let wakeup = control.wakeup(ofLoop: number)
    try poller.add(wakeup.descriptor, .read, Token(owner: Owner.wakeup.rawValue))
    let server = try Server(
      listener, routes: Route.allCases.map(\.path), limits: limits, poller,
      Server.Owners(
        listener: Owner.listener.rawValue, connections: Owner.connection.rawValue),
      figures: figures.server, accessLog: accessLines.map(configuration.accessLog))
    let counter = try Counter(
      "hits", in: location, timeout: configuration.visitTimeout, poller,
      owner: Owner.redis.rawValue, figures: figures.counter)
    self.poller = poller
    self.control = control
    self.wakeup = wakeup
    self.watch = watch
    self.logger = logger
    self.figures = figures
    self.server = server
    self.counter = counter
  }

  /// Serves until it is told to stop and has drained.
  ///
  /// - Returns: how many connections were left with something to be answered.
  mutating func run() throws(SystemError) -> Int {
    var events = Events()
    while !isOver {
      try poller.wait(from: now, until: deadline, &events)
      now = .now
      figures.rounds.add(1)
      server.beginRound(now)
      counter.beginRound(now)
      for index in 0..<events.count { handle(events[index]) }
      tick()
      finishRound()
    }
    return server.unsettledConnections
  }

  private var deadline: Instant {
    if looksAgain { return now }
    var deadline = min(server.deadline, counter.deadline)
    if isDraining { deadline = min(deadline, min(idleUntil, control.drainDeadline)) }
    return deadline
  }

  private var isOver: Bool {
    switch control.stage {
    case .serving: false
    case .draining: isDraining && (server.openConnections == 0 || now >= control.drainDeadline)
    case .aborting: true
    }
  }
}

// MARK: - A round

extension Worker {
  private mutating func handle(_ event: Event) {
    switch Owner(rawValue: event.token.owner) {
    case .connection, .listener:
      server.handleEvent(event)
    case .redis:
      counter.ready(event)
      giveAnswers()
    case .wakeup, nil:
      wakeup.reset()
    }
  }

  /// Tells the log when clients begin to wait in the backlog, and when they are accepted again.
  private mutating func logAcceptance() {
    switch server.acceptance {
    case .full:
      warn("as many connections as may be are open, \(server.openConnections) in this loop")
    case .paused(_, let error):
      warn("no more connections can be accepted: \(error.reason)")
    case .open:
      guard !canAccept else { return }
      canAccept = true
      logger.notice("connections are accepted again")
    }
  }

  /// Tells the log why clients wait in the backlog: once a minute at most, for it can change with
  /// every client that comes or leaves.
  private mutating func warn(_ reason: String) {
    guard canAccept, now >= nextWarning else { return }
    canAccept = false
    nextWarning = now + .seconds(60)
    logger.warning("\(reason)")
  }

  /// Does what the passing of time calls for.
  private mutating func tick() {
    if !isDraining, control.stage == .draining { drain() }
    if isDraining, now >= idleUntil {
      server.closeIdle()
      idleUntil = now + .milliseconds(100)
    }
    if now >= counter.deadline { counter.tick() }
    noticeRedis()
  }

  /// Gives the answers that are there, takes the requests that waited for that, and sends the batch
  /// once no more visits come crowding in.
  private mutating func finishRound() {
    repeat {
      giveAnswers()
      server.sendResponses()
    } while takeRequests()
    looksAgain = counter.isFilling
    if !looksAgain { counter.dispatch() }
    server.endRound()
    logAcceptance()
  }

  private mutating func drain() {
    isDraining = true
    idleUntil = now + min(Self.idleGrace, (control.drainDeadline - now) / 2)
    server.drain()
  }
}

// MARK: - Requests and answers

extension Worker {
  /// - Returns: whether there were any.
  @discardableResult
  private mutating func takeRequests() -> Bool {
    var hasAny = false
    while let request = server.nextRequest() {
      hasAny = true
      switch Route(rawValue: request.route) {
      case .visit:
        counter.count(request.exchange.ticket)
      case .health:
        server.respond(request.exchange, pages.health, ConstantBody(Pages.healthy))
      case .ready, nil:
        respondReadiness(request.exchange)
      }
    }
    return hasAny
  }

  private mutating func respondReadiness(_ exchange: Exchange) {
    if isDraining {
      server.respond(exchange, pages.unavailable, Pages.isDraining)
    } else if !counter.isConnected {
      server.respond(exchange, pages.unavailable, Pages.isWithoutRedis)
    } else {
      server.respond(exchange, pages.ready, Pages.isReady)
    }
  }

  private mutating func giveAnswers() {
    while let answer = counter.nextAnswer() {
      let exchange = Exchange(ticket: answer.ticket)
      if let number = answer.number {
        note(server.respond(exchange, pages.visit, VisitText(number)), figures.counted)
      } else {
        note(server.respond(exchange, pages.notCounted, Pages.retryLater), figures.unavailable)
      }
    }
  }

  /// Counts a visit under its outcome, unless its visitor was gone.
  @inline(__always)
  private func note(_ isDelivered: Bool, _ outcome: borrowing RelaxedCounter) {
    if isDelivered { outcome.add(1) } else { figures.abandoned.add(1) }
  }
}

// MARK: - The log

extension Worker {
  /// Tells the log what has changed about Redis.
  private mutating func noticeRedis() {
    noticeRefusal()
    // A connection that was given up because a batch was refused is no news besides the refusal.
    let isBetweenTries = if case .refused = counter.failure { refusal != nil } else { false }
    switch (redis, counter.isConnected || isBetweenTries) {
    case (.found, true):
      break
    case (.unknown, false) where counter.failure == nil:
      break
    case (.unknown, true):
      redis = .found
    case (.lost, true):
      redis = .found
      watch.found()
    case (.unknown, false), (.found, false):
      redis = .lost(counter.failure)
      watch.lost(counter.failure)
    case (.lost(let last), false):
      if let failure = counter.failure, failure != last {
        redis = .lost(failure)
        watch.stillLost(failure)
      }
    }
  }

  private mutating func noticeRefusal() {
    guard counter.refusal != refusal else { return }
    refusal = counter.refusal
    if let refusal { watch.refused(refusal) } else { watch.counted() }
  }
}
