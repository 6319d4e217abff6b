import BasicContainers
package import System
import Telemetry
package import Redis

/// Carries out visits of counters in Redis and returns their numbers: group commit with one batch in
/// flight.
///
/// Visits that arrive while a batch is in flight wait for the next batch. That one is sent at the end of
/// the round in which the reply arrived, or a few rounds later while rounds bring many visits. Whatever
/// happens to the connection, a batch is sent again, unchanged, until Redis returns its outcomes or the
/// last of its visits has expired. `Claim` says why this counts once.
///
/// With `minReplicas`, outcomes are known only when so many replicas of Redis have the batch; until then it
/// is sent again. So a replica that is promoted has every number that was answered.
///
/// The event loop calls `beginRound`, then `handleEvent` for each event, `visit` for each visit and
/// `nextOutcome` and `nextPage` until they return nil after each of these, then `endRound`. The next
/// round begins by `deadline`.
package struct GroupCommit: ~Copyable {
  var redis: RedisConnection
  private var claim: Claim
  let hits: String
  var keys: KeyTable
  let mostCounters: Int
  let timeout: Interval
  let figures: Figures
  let address: RedisAddress
  let script: BatchScript
  let poller: Poller
  let owner: UInt8
  var now = Instant.now

  /// Carries out the visits instead, when Redis is a Cluster.
  var cluster: Cluster?

  /// Whether the server of this connection was asked whether it is a node of a Cluster, and whether any was.
  private var isKindKnown = false
  private var wasKindKnown = false

  /// Whether Redis is a Cluster, as far as is known.
  private var isOfCluster = false

  var waiting = WaitingVisits()
  private var builder = BatchBuilder()
  var inFlight: InFlight?
  var answered: AnsweredBatch?
  var lists = ListQueue()
  private var question: Question?
  let surveyInterval: Interval?

  /// When Redis is surveyed next, if it is.
  private var nextSurvey: Instant
  private var page: ListPage?

  /// How many replicas must have a batch.
  let minReplicas: Int

  /// How many replicas had what was written last, when Redis was asked; nil before that on a connection, and
  /// when none are needed.
  package internal(set) var replicas: Int?

  /// When Redis is asked for its replicas next, by a command of its own, unless a batch asks before.
  private var nextProbe: Instant

  /// How many visits waited when the round began; 0 if a batch was in flight, so that no other could
  /// have been sent.
  private var waitingBefore = 0

  /// Redis does not know the script's digest.
  private var sendsText = false

  /// Whether Redis has carried out a batch of counters with names on this connection. Until then such visits
  /// and those of `/` are in batches of their own: a user who may only count `/` has all of a batch refused
  /// for one key that is not allowed.
  private var hasNames = false

  /// Until then visits of counters with names are refused, because the user of Redis lacks the rights.
  var namesRefusedUntil = Instant(nanoseconds: 0)

  /// What the last survey of Redis has found; nil before it.
  package internal(set) var survey: Survey?

  /// Why Redis, although it answers, did not carry out the last batch, or refused the visits of `/` in it; nil
  /// after a batch that it carried out.
  package internal(set) var lastError: String?

  /// A command of the group commit's own that awaits its reply.
  private enum Question {
    /// Whether Redis is a Cluster.
    case kind
    case survey
    /// How many replicas there are.
    case probe
  }

  /// - Parameters:
  ///   - hits: the key of the counter of `/`, which is also the hash tag of the claim.
  ///   - mostCounters: how many counters with names there may be in this Redis.
  ///   - timeout: how long a visit may wait for its number.
  ///   - minReplicas: how many replicas of Redis must have a batch before its visits are answered.
  ///   - surveyInterval: how often Redis is surveyed, besides at the beginning of each connection; nil
  ///     for never.
  ///   - owner: the owner of the connection's descriptors in events.
  ///   - script: carries out the batches.
  package init(
    hits: String = "hits", mostCounters: Int = 100_000, in address: RedisAddress,
    timeout: Interval, minReplicas: Int = 0, surveyInterval: Interval? = nil, _ poller: Poller,
    owner: UInt8,
    figures: Figures = Figures(), script: BatchScript = .exactlyOnce
  ) throws(SystemError) {
    claim = Claim(tag: hits, script: script, minReplicas: minReplicas)
    redis = try RedisConnection(
      to: address.firstSeed, timeoutLimit: timeout, poller, owner: owner, figures: figures.redis,
      greeting: claim.greeting)
    keys = KeyTable(hits: hits)
    self.hits = hits
    self.mostCounters = mostCounters
    self.surveyInterval = surveyInterval
    nextSurvey = surveyInterval == nil ? .never : .now
    self.minReplicas = minReplicas
    nextProbe = minReplicas == 0 ? .never : .now
    self.figures = figures
    self.timeout = timeout
    self.address = address
    self.script = script
    self.poller = poller
    self.owner = owner
    if case .seeds = address.endpoint { isOfCluster = true }
  }

  /// Whether the connection to Redis was ready for batches at the end of the last round. It is stored,
  /// as `deadline` is: from another module the compiler copies a whole value to call a computed property.
  package internal(set) var isConnected = false

  /// Whether it was, Redis added all of the last batch, and enough replicas have it.
  package internal(set) var isCounting = false

  /// Why there is no connection to Redis; nil while there is one and before the first try.
  package var redisError: RedisError? { cluster == nil ? redis.error : cluster?.error }

  /// The same as text, with the server that it is about unless the settings name it.
  package var redisErrorText: String? {
    cluster == nil ? redis.errorText : cluster?.error?.description
  }

  /// When the next round must begin, even without an event.
  package internal(set) var deadline = Instant(nanoseconds: 0)

  /// Whether the batch is held back for one more round: it could be sent now, but a quarter of its visits
  /// or more arrived in this round, or waited for the batch that this round ended. A batch costs Redis the
  /// same, however many visits share its operations. A round that brings fewer visits ends this, so the
  /// number of rounds grows with the logarithm of the batch at most.
  package var isFilling: Bool {
    if let cluster { return cluster.isFilling }
    let arrived = waiting.count - waitingBefore
    return arrived > 0 && arrived * 4 >= waiting.count && inFlight == nil && redis.isReady
      && !isAsking
  }
}

// MARK: - A round

extension GroupCommit {
  /// Begins a round.
  package mutating func beginRound(_ now: Instant) {
    self.now = now
    waitingBefore = inFlight == nil ? waiting.count : 0
    cluster?.beginRound(now)
  }

  /// Handles an event on a descriptor of the connection to Redis.
  package mutating func handleEvent(_ event: Event) {
    if let cluster, RedisConnection.index(of: event) > 0 { return cluster.handleEvent(event) }
    redis.handleEvent(event, now)
    while let reply = redis.nextReply(now) { handleReply(reply) }
    noticeLoss()
  }

  /// Counts a visit of `/`.
  ///
  /// - Parameter ticket: identifies the visit in its outcome.
  /// - Returns: false when too many visits wait. Then this one is not counted, and has no outcome.
  package mutating func visit(_ ticket: UInt128) -> Bool {
    guard append(ticket, .hits, .hit) else { return false }
    keys.retain(.hits)
    return true
  }

  /// Reads the counter of `/`.
  ///
  /// - Parameter ticket: identifies the visit in its outcome.
  /// - Returns: false when too many visits wait.
  package mutating func readHits(_ ticket: UInt128) -> Bool {
    guard append(ticket, .hits, .read) else { return false }
    keys.retain(.hits)
    return true
  }

  /// Visits a counter with a name.
  ///
  /// - Parameters:
  ///   - name: a valid name.
  ///   - action: any but `.addOnce`.
  /// - Returns: false when too many visits wait, or visits of too many counters.
  package mutating func visit(_ ticket: UInt128, _ name: Span<UInt8>, _ action: Action) -> Bool {
    guard now >= namesRefusedUntil, let counter = keys.retain(name: name) else { return false }
    if append(ticket, counter, action) { return true }
    keys.release(counter)
    return false
  }

  /// Adds to a counter with a name, once for each idempotency key.
  ///
  /// - Parameter amount: is not 0.
  /// - Returns: false when too many visits wait, or visits of too many counters.
  package mutating func addOnce(
    _ ticket: UInt128, _ name: Span<UInt8>, _ amount: Int64, idempotencyKey: Span<UInt8>
  ) -> Bool {
    var recordName = UniqueArray<UInt8>()
    for byte in "once:\(name.count):".utf8 { recordName.append(byte) }
    recordName.append(copying: name)
    recordName.append(UInt8(ascii: ":"))
    recordName.append(copying: idempotencyKey)
    guard now >= namesRefusedUntil, let counter = keys.retain(name: name) else { return false }
    let bucket = CounterName.bucket(name)
    if let record = keys.retain(name: recordName.span, bucket: bucket) {
      if append(ticket, counter, .addOnce(amount, record: record)) { return true }
      keys.release(record)
    }
    keys.release(counter)
    return false
  }

  @inline(__always)
  private mutating func append(_ ticket: UInt128, _ counter: KeyID, _ action: Action) -> Bool {
    retryIfFirst()
    return waiting.append(
      Visit(ticket: ticket, deadline: now + timeout, counter: counter, action: action))
  }

  /// Only the first visit or page that waits ends the back-off of the connection, or there would be none.
  /// A batch in flight has ended it before, or waits for the back-off after an error.
  @inline(__always)
  private mutating func retryIfFirst() {
    if waiting.isEmpty, inFlight == nil, lists.isEmpty, !redis.isReady { redis.retryNow(now) }
  }

  /// Asks for a page of the list of a namespace's counters.
  ///
  /// - Parameters:
  ///   - ticket: identifies the page.
  ///   - cursor: that of the page before; 0 for the first page.
  /// - Returns: false when too many pages wait.
  package mutating func list(_ ticket: UInt128, _ namespace: String, cursor: UInt64) -> Bool {
    retryIfFirst()
    let request = ListQueue.Request(
      ticket: ticket, deadline: now + timeout, namespace: namespace, cursor: cursor)
    if let cluster { return cluster.lists.append(request) }
    return lists.append(request)
  }

  /// The next page that is known, or nil.
  package mutating func nextPage() -> ListPage? {
    if let cluster { return cluster.nextPage() }
    return page.take() ?? lists.removeExpired(now)
  }

  /// The next outcome that is known, or nil.
  package mutating func nextOutcome() -> Outcome? {
    if answered != nil {
      if let outcome = answered?.nextOutcome() { return outcome }
      if let batch = answered.take() {
        batch.releaseKeys(&keys)
        builder.reuseStorage(of: batch)
      }
    }
    if let cluster { return cluster.nextOutcome(&keys) }
    return nextExpired()
  }

  /// Does what is due on the connection to Redis, and sends the batch unless it `isFilling`.
  package mutating func endRound() {
    if isOfCluster { return endRoundOfCluster() }
    redis.tick(now)
    noticeLoss()
    if !redis.isReady, isSentToCluster {
      isOfCluster = true
      return endRoundOfCluster()
    }
    figures.waiting.set(waiting.count + unansweredInFlight)
    figures.knownKeys.set(keys.count)
    let isFilling = isFilling
    if redis.isReady, !isAsking, !isFilling { sendNext() }
    isConnected = redis.isReady && wasKindKnown
    isCounting = isConnected && lastError == nil && (replicas ?? minReplicas) >= minReplicas
    deadline = isFilling ? now : min(redis.deadline, min(flightDeadline, waiting.deadline))
    if !lists.isEmpty, !lists.isInFlight { deadline = min(deadline, lists.deadline) }
    // Otherwise a reply begins the next round.
    if isConnected, inFlight == nil, !isAsking {
      deadline = min(deadline, min(nextSurvey, nextProbe))
    }
  }
}

// MARK: - The batch

extension GroupCommit {
  /// How long visits of counters with names are refused after a batch of them was forbidden.
  static var refusalTime: Interval { .seconds(5) }

  /// How often Redis is asked for its replicas while no batch asks, and how long that may hold up a batch.
  private static var probeInterval: Interval { .seconds(1) }
  private static var probeTime: Interval { .milliseconds(100) }

  /// Whether a command that changes nothing awaits its reply: a page of a list, a survey or a probe. Batches
  /// wait for it.
  private var isAsking: Bool { lists.isInFlight || question != nil }

  /// Sends the batch in flight if it has to be sent again; otherwise the next batch, a page or a survey.
  private mutating func sendNext() {
    if !isKindKnown {
      question = .kind
      redis.send(Cluster.question, now)
      return noticeLoss()
    }
    if inFlight == nil {
      if now >= nextSurvey, let surveyInterval {
        nextSurvey = now + surveyInterval
        question = .survey
        redis.send(Survey.command, now)
        return noticeLoss()
      }
      if now >= nextProbe, waiting.isEmpty {
        question = .probe
        redis.send(Claim.wait(replicas: minReplicas, within: Self.probeTime), now)
        return noticeLoss()
      }
      if !lists.isEmpty, waiting.isEmpty || !lists.hadTurn {
        redis.send(lists.send(), now)
        return noticeLoss()
      }
      makeBatch()
    }
    sendBatch()
  }

  /// Puts the visits that wait into a batch, up to the limit of operations.
  private mutating func makeBatch() {
    guard !waiting.isEmpty else { return }
    if hasNames {
      waiting.removeFirst { visit in builder.add(visit, &keys) }
    } else {
      let isHits = waiting.isOfHits
      waiting.removeFirst { visit in
        (visit.counter == .hits) == isHits && builder.add(visit, &keys)
      }
    }
    inFlight = InFlight(batch: builder.makeBatch(number: claim.makeBatchNumber(), &keys))
  }

  /// Sends the batch in flight, unless it was sent on this connection.
  private mutating func sendBatch() {
    guard inFlight?.sentAt == nil, let flight = inFlight.take() else { return }
    lists.passTurn()
    redis.send(
      claim.command(for: flight.batch, keys, mostCounters: mostCounters, withText: sendsText), now)
    inFlight = InFlight(batch: flight.batch, sentAt: now)
    noticeLoss()
  }

  /// What was sent on a lost connection has to be sent again.
  private mutating func noticeLoss() {
    guard !redis.isAwaitingReply else { return }
    if !redis.isReady {
      isKindKnown = false
      hasNames = false
      replicas = nil
    }
    if lists.isInFlight { lists.noticeLoss() }
    if surveyInterval != nil, !redis.isReady { nextSurvey = now }
    question = nil
    guard inFlight?.sentAt != nil else { return }
    inFlight?.sentAt = nil
    inFlight?.reply = nil
    figures.interrupted.add(1)
  }

  private mutating func handleReply(_ reply: consuming Reply) {
    if lists.isInFlight { return page = lists.handleReply(reply) }
    switch question.take() {
    case .kind:
      (isKindKnown, wasKindKnown) = (true, true)
      isOfCluster = reply.error == nil
      return
    case .survey:
      if let result = Survey(reply) { survey = result }
      return
    case .probe: return noteReplicas(reply)
    case nil: break
    }
    guard let sentAt = inFlight?.sentAt else { preconditionFailure("a reply to no batch") }
    if minReplicas > 0, !isUnconfirmed {
      inFlight?.reply = consume reply
      return
    }
    figures.roundTrips.record((now - sentAt).nanoseconds)
    if let first = inFlight?.reply.take() {
      handleConfirmation(reply, of: first)
    } else {
      handleResult(reply)
    }
  }

  /// Handles how many replicas have the batch: enough, or it has to be sent again, if a visit still waits.
  private mutating func handleConfirmation(
    _ confirmation: borrowing Reply, of reply: borrowing Reply
  ) {
    noteReplicas(confirmation)
    if reply.error != nil { return handleResult(reply) }
    if let error = confirmation.error {
      inFlight?.sentAt = nil
      return handleError(error)
    }
    if let replicas, replicas >= minReplicas { return handleResult(reply) }
    figures.unconfirmed.add(1)
    inFlight?.sentAt = nil
    if unansweredInFlight == 0, let batch = endFlight() { batch.releaseKeys(&keys) }
  }

  private mutating func noteReplicas(_ reply: borrowing Reply) {
    replicas = reply.integer.map(Int.init)
    nextProbe = now + Self.probeInterval
    if let replicas, replicas < minReplicas { redis.doubtPrimary(now) }
  }

  /// Handles the outcomes of the batch in flight, or why there are none.
  private mutating func handleResult(_ reply: borrowing Reply) {
    inFlight?.sentAt = nil
    if let error = reply.error { return handleError(error) }
    let text = reply.text
    let count = inFlight?.batch.operations.count ?? 0
    guard let outcomes = OperationOutcome.parse(text, count: count) else {
      return handleError("an unexpected reply: \(text.prefix(200))")
    }
    handleOutcomes(outcomes)
  }

  private mutating func handleOutcomes(_ outcomes: consuming UniqueArray<OperationOutcome>) {
    sendsText = false
    guard let batch = endFlight() else { return }
    if batch.hasNames { hasNames = true }
    let answered = AnsweredBatch(batch, outcomes)
    lastError = figures.record(answered, hits: hits)
    self.answered = consume answered
  }

  private mutating func handleError(_ error: String) {
    switch BatchError(error) {
    case .unknownScript:
      sendsText = true
    case .stale:
      figures.refused.add(1)
      lastError = error
      if let batch = endFlight() { answered = AnsweredBatch(refused: batch) }
    case .forbidden where inFlight?.batch.hasNames == true:
      figures.refused.add(1)
      lastError = error
      hasNames = false
      namesRefusedUntil = now + Self.refusalTime
      if let batch = endFlight() { answered = AnsweredBatch(refused: batch) }
    case .transient, .forbidden:
      figures.refused.add(1)
      lastError = error
      // Another connection may lead to another server, or be authorized.
      redis.drop(.refused(error), now)
    }
  }

  /// Takes the batch out of flight, with the result that its visits are about to get.
  private mutating func endFlight() -> Batch? {
    precondition(answered == nil, "take all outcomes before the next reply")
    guard let flight = inFlight.take() else { return nil }
    figures.recordWaits(of: flight.batch, now, timeout: timeout)
    return flight.batch
  }
}
