import DequeModule
import Glibc
package import System
import Telemetry

/// One connection to Redis on an event loop. It connects, authenticates, carries one command of the
/// program at a time, notices that Redis is gone, and connects again by itself.
///
/// The event loop drives it: `handleEvent` with each event of its owner, `tick` once `deadline` has
/// come, `nextReply` after each of them. A command whose reply has not come when the connection is lost
/// never gets one: `isAwaitingReply` becomes false, and the program sends the command again.
package struct RedisConnection: ~Copyable {
  private let poller: Poller
  private let owner: UInt8
  private let index: UInt32
  private let figures: Figures

  /// What Redis has to execute before the connection is ready, after AUTH and SELECT.
  private let greeting: Command
  private var address: RedisAddress

  /// Encrypts the connection; nil for a plain one.
  private let tls: TLSClient?

  let locator: Locator
  private var timer: RetryTimer
  private var backoff = Backoff(from: .milliseconds(10), to: .milliseconds(500))

  private(set) var state = State.disconnected
  private var stateDeadline = Instant(nanoseconds: 0)
  private var locatorDeadline = Instant.never

  /// When `tick` has to be called though no event comes: the earlier one of the deadlines of the state and
  /// of the locator.
  package private(set) var deadline = Instant(nanoseconds: 0)

  /// Whether a command can be sent, once no other one awaits its reply.
  ///
  /// This and `isAwaitingReply` are stored because the compiler copies the whole connection to call a
  /// computed property of it from another module, at 60 instructions each.
  package private(set) var isReady = false

  /// Whether a command was sent on this connection and its reply, or that to its confirmation, has not come.
  package private(set) var isAwaitingReply = false

  /// How many replies the program still gets to what it has sent.
  private var awaitedCount = 0

  /// The socket and all that goes with it; nil while disconnected or looking up a name.
  private var link: Link?

  /// Tells events of this link from those of an earlier one.
  private var generation: UInt32 = 0

  /// Why the last connection or attempt ended; nil while the connection is ready, and before the first
  /// attempt.
  package private(set) var error: RedisError?

  /// The error as text, with the primary that it is about if sentinels have named one.
  package var errorText: String? {
    switch (error, locator.primary) {
    case (nil, _): nil
    case (.noPrimary, _), (.moved, _), (_, nil): error?.description
    case (.some(let error), .some(let primary)): "its primary \(primary): \(error)"
    }
  }

  /// What the connection waits for until its deadline.
  enum State {
    /// The next attempt.
    case disconnected
    /// A name server, or a sentinel. At the deadline the address that served last is tried, if there is one.
    case lookingUp
    /// The socket, to be connected.
    case connecting(since: Instant)
    /// The end of the TLS handshake.
    case handshaking(since: Instant)
    /// The replies to the greeting.
    case greeting(since: Instant)
    /// A command to send. At the deadline Redis is pinged.
    case idle
    /// The reply to the program's command. Redis may take so long for its confirmation, if it has one.
    case awaitingReply(since: Instant, confirmationTime: Interval?)
    /// The reply to the confirmation of the program's command.
    case awaitingConfirmation
    /// Replies to a ping or to pipelined commands, but to no command of the program.
    case awaitingRest
  }

  /// An idle connection is checked by a ping so often.
  static var pingInterval: Interval { .seconds(1) }

  /// Connecting takes no longer. The kernel repeats a lost SYN 1, 3 and 7 seconds after the first, so a
  /// new attempt is sooner than to wait for the third.
  static var longestConnecting: Interval { .seconds(3) }

  /// A connection that the first `tick` starts to make.
  ///
  /// - Parameters:
  ///   - timeoutLimit: how long the program waits for a reply at most. The actual time-outs come from
  ///     the measured round trip, and grow up to this while no reply comes.
  ///   - owner: the owner of the connection's events, in the numbers of the program.
  ///   - index: tells the events of several connections of the owner apart; see `index(of:)`.
  ///   - greeting: what Redis has to execute before the connection is ready; by default PING.
  ///   - resolver: looks the host's name up; by default with the C library.
  /// - Throws: when there is no descriptor for the resolver, or a socket's path is too long.
  package init(
    to address: RedisAddress, timeoutLimit: Interval, _ poller: Poller, owner: UInt8,
    index: UInt32 = 0,
    figures: Figures = Figures(), greeting: consuming Command = Command(["PING"]),
    resolver: Resolver? = nil
  ) throws(SystemError) {
    tls = address.isEncrypted ? TLSClient(address.tlsFiles) : nil
    locator = try Locator(
      address, tls: tls, timeoutLimit: timeoutLimit, poller, owner: owner, index: index,
      resolver: resolver)
    timer = RetryTimer(limit: timeoutLimit)
    self.poller = poller
    self.owner = owner
    self.index = index
    self.figures = figures
    self.address = address
    self.greeting = greeting
  }

  private mutating func noteLocatorDeadline() {
    locatorDeadline = locator.deadline
    deadline = min(stateDeadline, locatorDeadline)
  }

  private mutating func enter(_ state: State, until deadline: Instant) {
    self.state = state
    stateDeadline = deadline
    self.deadline = min(deadline, locatorDeadline)
    switch state {
    case .disconnected, .lookingUp, .connecting, .handshaking, .greeting:
      (isReady, isAwaitingReply) = (false, false)
    case .idle, .awaitingRest: (isReady, isAwaitingReply) = (true, false)
    case .awaitingReply, .awaitingConfirmation: (isReady, isAwaitingReply) = (true, true)
    }
  }
}

// MARK: - Commands

extension RedisConnection {
  /// Sends a command; `nextReply` will return its reply, and then that to its confirmation.
  ///
  /// - Precondition: `isReady` and not `isAwaitingReply`.
  package mutating func send(_ command: borrowing Command, _ now: Instant) {
    precondition(isReady && !isAwaitingReply, "one command at a time")
    awaitedCount = command.confirmationTime == nil ? 1 : 2
    enter(
      .awaitingReply(since: now, confirmationTime: command.confirmationTime),
      until: now + timer.timeout)
    write(command, replyTo: .program, now)
  }

  /// How many replies can be awaited besides those that are.
  package var room: Int {
    switch link {
    case .some(let link): link.room
    case .none: 0
    }
  }

  /// Adds a command to those that `sendAppended` sends. An error among the replies to what is pipelined
  /// behind it has no consequence.
  ///
  /// - Parameter isAnswered: whether `nextReply` will return its reply.
  /// - Precondition: `isReady`, not `isAwaitingReply`, and `room`.
  package mutating func append(_ command: borrowing Command, isAnswered: Bool = true) {
    precondition(isReady && !isAwaitingReply, "one group of commands at a time")
    link?.append(command, replyTo: isAnswered ? .program : .nobody, others: .nobody)
  }

  /// Sends the commands that were appended, one of them at least.
  ///
  /// - Parameters:
  ///   - answeredCount: how many of them `nextReply` will return a reply to.
  ///   - confirmationTime: how long Redis may take for the last of these; nil when that is as any other.
  package mutating func sendAppended(
    answeredCount: Int, confirmationTime: Interval?, _ now: Instant
  ) {
    awaitedCount = answeredCount
    enter(
      .awaitingReply(since: now, confirmationTime: confirmationTime), until: now + timer.timeout)
    flushOrDrop(now)
  }

  /// The reply to the command, when it has come.
  package mutating func nextReply(_ now: Instant) -> Reply? {
    do throws(RedisError) {
      while let reply = try link?.reader.nextReply() {
        guard let recipient = link?.replies.popFirst() else {
          throw RedisError.malformedReply("a reply to nothing")
        }
        if recipient == .program {
          finishCommand(now, isRefused: reply.isError)
          return reply
        }
        if recipient != .nobody, let error = reply.error { throw RedisError.refused(error) }
        if recipient == .roleCheck { try checkRole(reply) }
        if link?.replies.isEmpty == true { handleLastReply(now) }
      }
    } catch {
      drop(error, now)
    }
    return nil
  }

  /// Handles that the reply to the program's command, or to its confirmation, has come.
  private mutating func finishCommand(_ now: Instant, isRefused: Bool) {
    awaitedCount &-= 1
    if case .awaitingReply(let since, let confirmationTime) = state {
      guard awaitedCount <= (confirmationTime == nil ? 0 : 1) else { return }
      timer.recordReply(after: now - since)
      // A server that greets and then refuses or loses each command is no better than none.
      if !isRefused { backoff.succeeded() }
      if let confirmationTime {
        return enter(.awaitingConfirmation, until: now + confirmationTime + timer.timeout)
      }
    }
    if link?.replies.isEmpty == true {
      enter(.idle, until: now + Self.pingInterval)
    } else {
      enter(.awaitingRest, until: stateDeadline)
    }
  }

  /// Handles that no further reply is expected, after one that the program does not get.
  private mutating func handleLastReply(_ now: Instant) {
    if case .greeting(let since) = state {
      timer.recordReply(after: now - since)
      locator.confirmAddress()
      figures.connected.add(1)
      error = nil
    }
    // The time that a ping took is not recorded: it is much shorter than that of a command that Redis
    // writes to a slow disk before it replies.
    enter(.idle, until: now + Self.pingInterval)
  }

  private func checkRole(_ reply: borrowing Reply) throws(RedisError) {
    let role = reply.text(at: 0) ?? "unknown"
    guard role == "master" else { throw .notPrimary(role: role) }
  }

  private mutating func sendPing(_ now: Instant) {
    enter(.awaitingRest, until: now + timer.timeout)
    write(Command(["PING"]), replyTo: .connection, now)
  }

  private mutating func write(
    _ command: borrowing Command, replyTo recipient: Link.Recipient, _ now: Instant
  ) {
    link?.append(command, replyTo: recipient)
    flushOrDrop(now)
  }

  private mutating func flushOrDrop(_ now: Instant) {
    do {
      try flush()
    } catch {
      drop(error, now)
    }
  }
}

// MARK: - Events and time

extension RedisConnection {
  /// Handles an event on one of the connection's descriptors.
  package mutating func handleEvent(_ event: Event, _ now: Instant) {
    guard ConnectionSource(event) == .socket else {
      return handleNews(locator.handleEvent(event, now), now)
    }
    guard event.token == socketToken, link != nil else { return }
    do {
      try handleReadiness(event.readiness, now)
    } catch {
      drop(isUnansweredEnd(error) ? .tls(.perhapsRequired) : error, now)
    }
  }

  private mutating func handleReadiness(
    _ readiness: Readiness, _ now: Instant
  ) throws(RedisError) {
    switch state {
    case .connecting(let since):
      try finishConnecting(since, now)
    case .handshaking(let since):
      try continueHandshake(since, now)
    default:
      let token = socketToken
      try link?.handleReadiness(readiness, poller, token)
    }
  }

  /// Whether a server ended a connection that is not encrypted without a reply to the greeting.
  private mutating func isUnansweredEnd(_ error: RedisError) -> Bool {
    guard case .greeting = state, tls == nil, locator.host != nil, link?.reader.hasInput == false
    else { return false }
    return switch error {
    case .closed: true
    case .system(let error): error.code == ECONNRESET
    default: false
    }
  }

  /// Does what is due.
  package mutating func tick(_ now: Instant) {
    guard now >= deadline else { return }
    if now >= locatorDeadline { handleNews(locator.tick(now), now) }
    guard now >= stateDeadline else { return }
    switch state {
    case .disconnected:
      startAttempt(now)
    case .lookingUp:
      // The name server does not answer.
      locator.retryServingAddress()
      startAttempt(now)
    case .idle:
      sendPing(now)
    case .connecting:
      timer.recordExpiry()
      drop(.timedOut, now)
    case .handshaking:
      timer.recordExpiry()
      drop(.tls(.handshakeTimedOut), now)
    case .greeting, .awaitingReply, .awaitingConfirmation, .awaitingRest:
      let error = timer.isAtLimit ? RedisError.tooSlow(timer.timeout) : .timedOut
      timer.recordExpiry()
      drop(error, now)
    }
  }

  /// Closes the connection; a reply that comes later is never seen. The next attempt follows after a
  /// back-off, which grows from 10 ms to 0.5 s with each connection that is dropped before Redis has
  /// executed a command of the program.
  package mutating func drop(_ error: RedisError, _ now: Instant) {
    // Closing the socket removes it from the poller only when no child process that was just forked
    // holds a copy.
    if let descriptor = link?.descriptor { poller.remove(descriptor) }
    if isReady { figures.lost.add(1) } else { figures.failed.add(1) }
    if case .greeting = state, case .refused = error { address.credentials.readFileAgain() }
    link = nil
    self.error = error
    enter(.disconnected, until: now + backoff.failed())
  }

  /// The index of the connection that an event of its owner is about.
  package static func index(of event: Event) -> Int { ConnectionSource.index(of: event) }

  /// Ends the connection for good: nothing connects again.
  package mutating func end() {
    if let descriptor = link?.descriptor { poller.remove(descriptor) }
    if isReady { figures.lost.add(1) }
    link = nil
    enter(.disconnected, until: .never)
  }

  /// Starts the next attempt at the next `tick`, instead of after the rest of the back-off: the first
  /// client has begun to wait. There is no back-off any more if this is called for each client.
  package mutating func retryNow(_ now: Instant) {
    if case .disconnected = state, stateDeadline > now { enter(.disconnected, until: now) }
  }

  private mutating func flush() throws(RedisError) {
    let token = socketToken
    try link?.flush(poller, token)
  }

  private var socketToken: Token {
    ConnectionSource.socket.token(owner: owner, index: index, generation: generation)
  }
}

// MARK: - Connecting

extension RedisConnection {
  /// Connects to the next address, or waits for a name server or a sentinel to say where that is.
  private mutating func startAttempt(_ now: Instant) {
    do throws(RedisError) {
      let address = try locator.nextAddress(now)
      locatorDeadline = locator.deadline
      if let address {
        try connect(to: address, now)
      } else {
        enter(.lookingUp, until: locator.servingAddress != nil ? now + connectTimeout : .never)
      }
    } catch {
      locatorDeadline = locator.deadline
      drop(error, now)
    }
  }

  private mutating func handleNews(_ news: Locator.News, _ now: Instant) {
    noteLocatorDeadline()
    let isAwaited = if case .lookingUp = state { true } else { false }
    switch news {
    case .none:
      break
    case .found:
      if isAwaited { startAttempt(now) }
      // The next attempt needs addresses that are looked up after this connection is lost.
      if isReady { locator.confirmAddress() }
    case .moved(let primary):
      if link != nil { drop(.moved(primary), now) }
      startAttempt(now)
    case .failed(let error):
      if isAwaited { drop(error, now) }
    }
  }

  /// Has the next sentinel asked, if there are any, whether the primary is still where the connection
  /// leads: too few replicas follow it.
  package mutating func doubtPrimary(_ now: Instant) {
    locator.doubt(now)
    noteLocatorDeadline()
  }

  private mutating func connect(to address: SocketAddress, _ now: Instant) throws(RedisError) {
    generation &+= 1
    link = try Link(
      connectingTo: address, host: locator.host ?? "", tls: tls, poller, socketToken)
    enter(.connecting(since: now), until: now + connectTimeout)
  }

  private var connectTimeout: Interval { min(timer.timeout, Self.longestConnecting) }

  /// Handles that the attempt to connect has ended: begins the handshake or greets Redis, unless it failed.
  private mutating func finishConnecting(_ since: Instant, _ now: Instant) throws(RedisError) {
    if let error = link?.connectionError { throw .system(error) }
    timer.recordConnecting(after: now - since)
    guard link?.isEncrypted == true else { return try greet(now) }
    enter(.handshaking(since: now), until: now + timer.timeout)
    try continueHandshake(now, now)
  }

  /// Goes on with the handshake, and greets Redis when it is finished. No command, and so no password, is
  /// sent before.
  private mutating func continueHandshake(_ since: Instant, _ now: Instant) throws(RedisError) {
    let token = socketToken
    guard try link?.finishHandshake(poller, token) == true else { return }
    timer.recordConnecting(after: now - since)
    try greet(now)
  }

  private mutating func greet(_ now: Instant) throws(RedisError) {
    enter(.greeting(since: now), until: now + timer.timeout)
    appendGreeting()
    try flush()
  }

  /// Adds the commands that a connection begins with.
  private mutating func appendGreeting() {
    if let authentication = address.credentials.command {
      link?.append(authentication, replyTo: .connection)
    }
    // A user may lack the right to SELECT, and database 0 is selected anyway.
    if address.database != 0 {
      link?.append(Command(["SELECT", String(address.database)]), replyTo: .connection)
    }
    if locator.requiresPrimary { link?.append(Command(["ROLE"]), replyTo: .roleCheck) }
    link?.append(greeting, replyTo: .connection)
  }
}
