package import System
import Telemetry

/// One non-blocking connection to Redis on an event loop. It connects, authenticates, carries one
/// command at a time, notices when Redis is gone, and comes back by itself.
///
/// The program drives it: events go to `ready`, the passing of time to `tick`, and after either of
/// them `nextReply` and `isReady` tell what has changed.
package struct Connection: ~Copyable {
  private let location: Location
  private let poller: Poller
  private let owner: UInt8
  private let resolver: Resolver
  private let timeout: Interval
  private let greeting: Command
  private let isNamed: Bool

  private let figures: Figures

  private var context: Context?
  private var state = State.disconnected(until: Instant(nanoseconds: 0))
  private var generation: UInt32 = 0
  private var interest: Readiness = []
  private var backoff = Backoff(from: .milliseconds(10), to: .milliseconds(500))
  /// The addresses of a name that were not tried yet.
  private var addresses: [String] = []
  private(set) var isLookingUp = false

  /// The address that was tried last, and the one that served last.
  private var triedAddress: String?
  private var knownAddress: String?

  /// Replies that come before the one to the program's command: to the greeting, to a ping, to what
  /// went along with the last command.
  private var ownReplies = 0

  /// Replies that come behind it, to the commands that went along.
  private var repliesBehind = 0

  /// When the answer that is waited for is late; or when, with none, Redis should be asked whether
  /// it is still there.
  private var due = Instant.never

  /// Whether a command was sent and its reply has not come.
  package private(set) var isAwaitingReply = false

  /// Why there is no connection; nil while there is one, and before the first try.
  package private(set) var failure: Failure?

  private enum State {
    case disconnected(until: Instant)
    case resolving
    case connecting
    case greeting
    case ready
  }

  /// After so long without a reply to anything, Redis is asked whether it is there.
  static var pingInterval: Interval { .seconds(1) }

  /// A connection that `tick` will start to make.
  ///
  /// - Parameters:
  ///   - timeout: how long connecting, the greeting and every reply may take.
  ///   - owner: whose events its descriptors are, in the numbers of the program.
  ///   - greeting: what Redis has to carry out before it counts as ready; by default PING.
  ///   - resolver: looks the host's name up; by default with the C library.
  /// - Throws: when there is no descriptor for the resolver.
  package init(
    to location: Location, timeout: Interval, _ poller: Poller, owner: UInt8,
    figures: Figures = Figures(), greeting: consuming Command = Command(["PING"]),
    resolver: Resolver? = nil
  ) throws(SystemError) {
    let resolver = if let resolver { resolver } else { try Resolver() }
    try poller.add(resolver.descriptor, .read, Token(owner: owner, slot: 1))
    self.location = location
    self.timeout = timeout
    self.poller = poller
    self.owner = owner
    self.resolver = resolver
    self.figures = figures
    self.greeting = greeting
    switch location.address {
    case .tcp(let host, _) where !Resolver.isNumeric(host):
      isNamed = true
    case .tcp(let host, _):
      isNamed = false
      addresses = [host]
    case .unix:
      isNamed = false
    }
  }

  /// Whether a command can be sent and would be answered.
  package var isReady: Bool {
    if case .ready = state { true } else { false }
  }

  /// When `tick` wants to be called though no event comes.
  package var deadline: Instant {
    if case .disconnected(let until) = state { until } else { due }
  }
}

// MARK: - Commands

extension Connection {
  /// Sends a command; `nextReply` will have its reply.
  ///
  /// - Precondition: `isReady`, and no other command waits for its reply.
  package mutating func send(_ command: borrowing Command, _ now: Instant) {
    precondition(isReady && !isAwaitingReply, "one command at a time")
    isAwaitingReply = true
    repliesBehind = command.companions
    due = now + timeout
    do {
      try context?.append(command)
      try write()
    } catch {
      drop(error, now)
    }
  }

  /// The reply to the command, when it has come.
  package mutating func nextReply(_ now: Instant) -> Reply? {
    do throws(Failure) {
      while let reply = try context?.nextReply() {
        if ownReplies > 0 {
          try takeOwn(reply, now)
        } else if isAwaitingReply {
          isAwaitingReply = false
          ownReplies = repliesBehind
          if ownReplies == 0 { due = now + Self.pingInterval }
          return reply
        } else {
          throw Failure.garbled("a reply to nothing")
        }
      }
    } catch {
      drop(error, now)
    }
    return nil
  }

  /// Takes a reply that is none to the program's command.
  private mutating func takeOwn(
    _ reply: consuming Reply, _ now: Instant
  ) throws(Failure) {
    if let error = reply.error { throw .refused(error) }
    ownReplies -= 1
    guard ownReplies == 0 else { return }
    if case .greeting = state {
      state = .ready
      knownAddress = triedAddress
      figures.connected.add(1)
      failure = nil
      backoff.succeeded()
    }
    if !isAwaitingReply { due = now + Self.pingInterval }
  }

  private mutating func write() throws(Failure) {
    guard let isDone = try context?.write() else { return }
    try watch(isDone ? .read : [.read, .write])
  }

  private mutating func watch(_ wanted: Readiness) throws(Failure) {
    guard wanted != interest, let descriptor = context?.descriptor else { return }
    do {
      try poller.change(descriptor, wanted, token)
    } catch {
      throw .system(error)
    }
    interest = wanted
  }

  private var token: Token { Token(owner: owner, slot: 0, generation: generation) }
}

// MARK: - Events and time

extension Connection {
  /// Does what an event on one of its descriptors calls for.
  package mutating func ready(_ event: Event, _ now: Instant) {
    if event.token.slot == 1 {
      takeAddresses(now)
      return
    }
    guard event.token == token, context != nil else { return }
    do {
      if case .connecting = state { return try greet(now) }
      if event.readiness.contains(.write) { try write() }
      if event.readiness != .write { try context?.read() }
    } catch {
      drop(error, now)
    }
  }

  /// Does what has become due: the next try, giving up on a late answer, asking after Redis.
  package mutating func tick(_ now: Instant) {
    guard now >= deadline else { return }
    switch state {
    case .disconnected: connect(now)
    case .ready where !isAwaitingReply && ownReplies == 0: ping(now)
    case .resolving: openKnown(now)
    case .connecting, .greeting, .ready: drop(.timedOut, now)
    }
  }

  /// Closes the connection, forgets what was under way, and tries again after a while.
  ///
  /// - Parameter wait: how long; by default the back-off, which grows from 10 ms to 0.5 s and starts
  ///   again from its shortest once Redis has greeted.
  package mutating func drop(_ failure: Failure, _ now: Instant, retryAfter wait: Interval? = nil) {
    // Closing would do the same, but not while a child that was just forked still has a copy: its
    // events would come again and again, for nobody.
    if let descriptor = context?.descriptor { poller.remove(descriptor) }
    if isReady { figures.lost.add(1) } else { figures.failed.add(1) }
    context = nil
    interest = []
    generation &+= 1
    ownReplies = 0
    isAwaitingReply = false
    due = .never
    self.failure = failure
    state = .disconnected(until: now + (wait ?? backoff.failed()))
  }

  /// Tries to connect now instead of after the rest of the back-off: somebody has begun to wait.
  /// Call it for the first of them only, or there is no back-off.
  package mutating func hurry(_ now: Instant) {
    if case .disconnected(let until) = state, until > now { state = .disconnected(until: now) }
  }

  private mutating func ping(_ now: Instant) {
    do {
      try ask(Command(["PING"]))
      due = now + timeout
      try write()
    } catch {
      drop(error, now)
    }
  }
}

// MARK: - Connecting

extension Connection {
  private mutating func connect(_ now: Instant) {
    // Names are looked up again for every round of tries: after a failover they mean another host.
    guard addresses.isEmpty, isNamed, case .tcp(let host, _) = location.address else {
      open(now)
      return
    }
    do {
      if !isLookingUp { try resolver.start(host) }
      isLookingUp = true
      state = .resolving
      due = knownAddress == nil ? .never : now + timeout
    } catch {
      drop(.system(error), now)
    }
  }

  /// While a name server says nothing, Redis may well be where it was.
  private mutating func openKnown(_ now: Instant) {
    guard let knownAddress else { return due = .never }
    addresses = [knownAddress]
    open(now)
  }

  private mutating func takeAddresses(_ now: Instant) {
    guard let found = resolver.take() else { return }
    isLookingUp = false
    switch (state, found) {
    case (.resolving, .success(let found)):
      addresses = found
      open(now)
    case (.resolving, .failure(let unknown)):
      drop(.unknownHost(unknown.reason), now)
    case (.disconnected, .success(let found)), (.connecting, .success(let found)):
      // The next try is better off with these than with the address that was known.
      addresses = found
    default:
      break
    }
  }

  /// Starts to connect to the next address.
  private mutating func open(_ now: Instant) {
    do throws(Failure) {
      let context = try makeContext()
      generation &+= 1
      do {
        try poller.add(context.descriptor, .write, token)
      } catch {
        throw Failure.system(error)
      }
      interest = .write
      self.context = consume context
      state = .connecting
      due = now + timeout
    } catch {
      drop(error, now)
    }
  }

  private mutating func makeContext() throws(Failure) -> Context {
    switch location.address {
    case .unix(let path):
      return try .connect(toSocket: path)
    case .tcp(_, let port):
      guard let address = addresses.first else { throw .unknownHost("it has no address") }
      if isNamed { addresses.removeFirst() }
      triedAddress = address
      return try .connect(to: address, port: port)
    }
  }

  /// Says who we are and what Redis shall do first, once it is connected.
  private mutating func greet(_ now: Instant) throws(Failure) {
    if let failure = context?.connectionError { throw failure }
    if isNamed { addresses = [] }
    state = .greeting
    if let password = location.password {
      try ask(Command(["AUTH"] + (location.user.map { [$0] } ?? []) + [password]))
    }
    if location.database != 0 { try ask(Command(["SELECT", String(location.database)])) }
    try ask(Command(startingLike: greeting))
    try write()
  }

  private mutating func ask(_ command: borrowing Command) throws(Failure) {
    try context?.append(command)
    ownReplies += 1 + command.companions
  }
}
