import System

/// Finds the primary through sentinels, and hears when it moves.
///
/// One sentinel at a time is asked; when it fails, or has named a server that is no primary, the next one.
/// The one that has answered stays connected, to tell when the primary moves. When it is lost, the next one
/// is asked after a pause, and so tells whether the primary has moved meanwhile. A round asks each sentinel at
/// most once; with names, each of their addresses.
///
/// Invariant: while an address `isAwaited`, a sentinel is asked, or the primary's name is looked up.
final class Sentinels {
  private let name: String
  private let hosts: [HostAddresses]
  private var credentials: Credentials
  private let tls: TLSClient?
  private let poller: Poller
  private let owner: UInt8
  private var timer: RetryTimer

  /// The pauses after rounds that failed and after sentinels that were lost. They grow until a sentinel has been
  /// listened to for a while.
  private var backoff = Backoff(from: .milliseconds(100), to: .seconds(5))

  /// The sentinel that is asked, or that answered last.
  private var current = 0

  /// How many sentinels are left in this round, the current one among them.
  private var remaining = 0

  /// Why those that were asked in this round have not told the primary.
  private var failures = SentinelFailures()

  private var state = State.resting
  private var stateDeadline = Instant.never
  private var conversation: SentinelConversation?

  /// Tells events of this conversation from those of an earlier one.
  private var generation: UInt32 = 0

  /// Where the primary is; nil before a sentinel has told it.
  private var primary: HostAddresses?

  /// Whether the primary's address was not handed out since it was told.
  private var isFresh = false

  /// Whether Redis served at the address that was handed out last.
  private var isConfirmed = false

  /// Whether the connection waits for an address.
  private var isAwaited = false

  private enum State {
    /// No sentinel is connected. At the deadline the next round begins.
    case resting
    /// The name of the current sentinel is looked up.
    case lookingUp
    /// There is a conversation with the current one.
    case talking
  }

  /// - Throws: when there is no descriptor for a resolver.
  init(
    _ hosts: [HostPort], name: String, _ credentials: Credentials, _ tls: TLSClient?,
    timeoutLimit: Interval, _ poller: Poller, owner: UInt8
  ) throws(SystemError) {
    var addresses: [HostAddresses] = []
    for host in hosts {
      let token = ConnectionSource.sentinelResolver.token(
        owner: owner, generation: UInt32(addresses.count))
      addresses.append(try HostAddresses(host, poller, token))
    }
    self.hosts = addresses
    self.name = name
    self.credentials = credentials
    self.tls = tls
    self.poller = poller
    self.owner = owner
    timer = RetryTimer(limit: timeoutLimit)
  }

  /// Where the primary is, by its name or its numeric address; nil before a sentinel has told it.
  var primaryPlace: HostPort? { primary?.host }

  /// When `tick` has to be called though no event comes.
  var deadline: Instant {
    switch conversation {
    case .some(let conversation): conversation.deadline
    case .none: stateDeadline
    }
  }

  private var isAsking: Bool {
    switch state {
    case .resting: return false
    case .lookingUp: return true
    case .talking:
      switch conversation {
      case .some(let conversation): return conversation.isAsking
      case .none: return false
      }
    }
  }
}

// MARK: - For the connection

extension Sentinels {
  /// The next address to connect to; nil while a sentinel is asked for it or its name is looked up.
  func nextAddress(_ now: Instant) throws(RedisError) -> SocketAddress? {
    isAwaited = true
    if isFresh || primary?.hasCandidates == true {
      isFresh = false
      do throws(SystemError) {
        guard let address = try primary?.nextAddress() else { return nil }
        isAwaited = false
        return address
      } catch {
        throw .system(error)
      }
    }
    guard !isAsking else { return nil }
    // Who named a server that is no primary is not asked again at once.
    if primary != nil, !isConfirmed { passOver() }
    isConfirmed = false
    if case .failed(let error) = beginRound(now) { throw error }
    return nil
  }

  /// Asks the next sentinel whether the primary has moved.
  func doubt(_ now: Instant) {
    guard !isAsking else { return }
    passOver()
    _ = beginRound(now)
  }

  /// Notes that Redis serves at the address that was handed out last.
  func confirmAddress() {
    isConfirmed = true
    primary?.confirmAddress()
  }

  /// Handles an event on a descriptor of a sentinel or of a resolver.
  func handleEvent(_ event: Event, _ now: Instant) -> Locator.News {
    switch ConnectionSource(event) {
    case .sentinel where event.token == token && conversation != nil:
      return handleReadiness(event.readiness, now)
    case .sentinelResolver:
      return handleLookUp(ofSentinel: Int(event.token.generation), now)
    case .resolver:
      do throws(RedisError) {
        return try primary?.finishLookUp() == true ? .found : .none
      } catch {
        return .failed(error)
      }
    case .sentinel, .socket, nil:
      return .none
    }
  }

  /// Does what is due.
  func tick(_ now: Instant) -> Locator.News {
    guard now >= deadline else { return .none }
    switch state {
    case .resting:
      return beginRound(now)
    case .lookingUp:
      // The name server does not answer.
      guard hosts[current].servingAddress != nil else {
        return fail(.unknownHost("no name server answers"), now)
      }
      hosts[current].retryServingAddress()
      return askCurrent(now)
    case .talking:
      do throws(RedisError) {
        try conversation?.tick(&timer, now)
        return .none
      } catch {
        return fail(error, now)
      }
    }
  }
}

// MARK: - Asking

extension Sentinels {
  private var token: Token {
    ConnectionSource.sentinel.token(owner: owner, generation: generation)
  }

  private func beginRound(_ now: Instant) -> Locator.News {
    failures = SentinelFailures()
    remaining = hosts.count
    return askCurrent(now)
  }

  /// Asks the current sentinel, or the next one that can be asked.
  ///
  /// - Returns: the failure of the round when none can be.
  private func askCurrent(_ now: Instant) -> Locator.News {
    while true {
      do throws(RedisError) {
        try startConversation(now)
        return .none
      } catch {
        guard noteFailure(error) else { return endRound(now) }
      }
    }
  }

  private func startConversation(_ now: Instant) throws(RedisError) {
    conversation = nil
    let next: SocketAddress?
    do throws(SystemError) {
      next = try hosts[current].nextAddress()
    } catch {
      throw .system(error)
    }
    guard let address = next else {
      (state, stateDeadline) = (.lookingUp, now + timer.timeout)
      return
    }
    generation &+= 1
    let link = try Link(
      connectingTo: address, host: hosts[current].host.host, tls: tls, poller, token)
    conversation = SentinelConversation(on: link, name: name, poller, token, timer, now)
    state = .talking
  }

  private func handleLookUp(ofSentinel number: Int, _ now: Instant) -> Locator.News {
    let isCurrent = if case .lookingUp = state { number == current } else { false }
    do throws(RedisError) {
      guard try hosts[number].finishLookUp(), isCurrent else { return .none }
      return askCurrent(now)
    } catch {
      return isCurrent ? fail(error, now) : .none
    }
  }

  private func handleReadiness(_ readiness: Readiness, _ now: Instant) -> Locator.News {
    var news = Locator.News.none
    do throws(RedisError) {
      try conversation?.handleReadiness(readiness, credentials, &timer, now)
      while let told = try conversation?.nextPrimary(&timer, now) {
        if case .none = news { news = try note(told) } else { _ = try note(told) }
      }
      if conversation?.isSteady == true { backoff.succeeded() }
    } catch {
      let failure = fail(error, now)
      if case .none = news { return failure }
    }
    return news
  }

  /// Notes where the primary is.
  private func note(_ told: HostPort) throws(RedisError) -> Locator.News {
    hosts[current].noteServing()
    if told == primary?.host {
      guard isAwaited else { return .none }
      isFresh = true
      return .found
    }
    do throws(SystemError) {
      primary = try HostAddresses(told, poller, ConnectionSource.resolver.token(owner: owner))
    } catch {
      throw .system(error)
    }
    isFresh = true
    isConfirmed = false
    return isAwaited ? .found : .moved(told)
  }

  /// Handles that the current sentinel has failed: asks the next one, after a pause if this one had told the
  /// primary.
  ///
  /// - Returns: the failure of the round when there is none left.
  private func fail(_ error: RedisError, _ now: Instant) -> Locator.News {
    guard isAsking else {
      _ = noteFailure(error)
      rest(now)
      return .none
    }
    return noteFailure(error) ? askCurrent(now) : endRound(now)
  }

  /// - Returns: whether there is another sentinel in this round.
  private func noteFailure(_ error: RedisError) -> Bool {
    if case .refused = error { credentials.readFileAgain() }
    failures.add(hosts[current].host, error)
    conversation = nil
    if !hosts[current].hasCandidates { remaining -= 1 }
    passOver()
    return remaining > 0
  }

  private func endRound(_ now: Instant) -> Locator.News {
    rest(now)
    return .failed(.noPrimary(failures.description))
  }

  private func rest(_ now: Instant) {
    (state, stateDeadline) = (.resting, now + backoff.failed())
  }

  /// Makes the next sentinel the current one, unless the name of this one has further addresses.
  private func passOver() {
    if !hosts[current].hasCandidates { current = (current + 1) % hosts.count }
  }
}
