import BasicContainers
package import System
import Telemetry
package import Redis

/// Adds visits to counters in Redis and returns their numbers: group commit with one batch in flight.
///
/// Visits that arrive while a batch is in flight wait for the next batch. That one is sent at the end of
/// the round in which the reply arrived, or a few rounds later while rounds bring many visits. Whatever
/// happens to the connection, a batch is sent again, unchanged, until Redis returns its totals or the last
/// of its visits has expired. `Claim` says why this counts once.
///
/// The event loop calls `beginRound`, then `handleEvent` for each event, `count` for each visit and
/// `nextOutcome` until it returns nil after each of these, then `endRound`. The next round begins by
/// `deadline`.
package struct GroupCommit: ~Copyable {
  private var redis: RedisConnection
  private var claim: Claim
  private let keys: [String]
  private let timeout: Interval
  private let figures: Figures
  private var now = Instant.now

  private var waiting = WaitingVisits()
  private var builder: BatchBuilder
  private var inFlight: InFlight?
  private var answered: AnsweredBatch?

  /// How many visits waited when the round began; 0 if a batch was in flight, so that no other could
  /// have been sent.
  private var waitingBefore = 0

  /// Redis does not know the script's digest.
  private var sendsText = false

  /// Why Redis, although it answers, did not add all of the last batch; nil after a batch that it added.
  package private(set) var lastError: String?

  /// A batch whose totals are not known.
  private struct InFlight: ~Copyable {
    var batch: Batch

    /// When the batch was sent on the present connection; nil when it has to be sent again.
    var sentAt: Instant?
  }

  /// - Parameters:
  ///   - keys: the keys of the counters, by index. Each holds an integer or nothing. The first one is the
  ///     hash tag of the claim.
  ///   - timeout: how long a visit may wait for its number.
  ///   - owner: the owner of the connection's descriptors in events.
  ///   - script: adds the batches.
  package init(
    _ keys: [String], in address: RedisAddress, timeout: Interval, _ poller: Poller, owner: UInt8,
    figures: Figures = Figures(), script: BatchScript = .exactlyOnce
  ) throws(SystemError) {
    claim = Claim(tag: keys[0], script: script)
    redis = try RedisConnection(
      to: address, timeoutLimit: timeout, poller, owner: owner, figures: figures.redis,
      greeting: claim.registration)
    builder = BatchBuilder(counters: keys.count)
    self.keys = keys
    self.figures = figures
    self.timeout = timeout
  }

  /// Whether the connection to Redis was ready for batches at the end of the last round. It is stored,
  /// as `deadline` is: from another module the compiler copies a whole value to call a computed property.
  package private(set) var isConnected = false

  /// Whether it was, and Redis added all of the last batch.
  package private(set) var isCounting = false

  /// Why there is no connection to Redis; nil while there is one and before the first try.
  package var redisError: RedisError? { redis.error }

  /// When the next round must begin, even without an event.
  package private(set) var deadline = Instant(nanoseconds: 0)

  /// Whether the batch is held back for one more round: it could be sent now, but a quarter of its visits
  /// or more arrived in this round, or waited for the batch that this round ended. A batch costs Redis the same, however many visits share it. A round
  /// that brings fewer visits ends this, so the number of rounds grows with the logarithm of the batch
  /// at most.
  package var isFilling: Bool {
    let arrived = waiting.count - waitingBefore
    return arrived > 0 && arrived * 4 >= waiting.count && inFlight == nil && redis.isReady
  }
}

// MARK: - A round

extension GroupCommit {
  /// Begins a round.
  package mutating func beginRound(_ now: Instant) {
    self.now = now
    waitingBefore = inFlight == nil ? waiting.count : 0
  }

  /// Handles an event on a descriptor of the connection to Redis.
  package mutating func handleEvent(_ event: Event) {
    redis.handleEvent(event, now)
    while let reply = redis.nextReply(now) { handleReply(reply) }
    noticeLoss()
  }

  /// Adds 1 to the counter `hits` for a visit: see the other `count`. Default arguments would cost 10
  /// instructions a visit.
  package mutating func count(_ ticket: UInt128) -> Bool {
    count(ticket, counter: .hits, amount: 1)
  }

  /// Adds a visit to a counter.
  ///
  /// - Parameters:
  ///   - ticket: identifies the visit in its outcome.
  ///   - amount: how much it adds; 0 only reads the counter.
  /// - Returns: false when too many visits wait. Then this one is not counted, and has no outcome.
  @inline(__always)
  package mutating func count(
    _ ticket: UInt128, counter: CounterID, amount: Int32
  ) -> Bool {
    // Only the first visit that waits ends the back-off of the connection, or there would be none. A
    // batch in flight has ended it before, or waits for the back-off after an error.
    if waiting.isEmpty, inFlight == nil, !redis.isReady { redis.retryNow(now) }
    return waiting.append(
      Visit(ticket: ticket, deadline: now + timeout, counter: counter, amount: amount))
  }

  /// The next outcome that is known, or nil.
  package mutating func nextOutcome() -> Outcome? {
    if answered != nil {
      if let outcome = answered?.nextOutcome() { return outcome }
      if let batch = answered.take() { builder.reuseStorage(of: batch) }
    }
    return nextExpired()
  }

  /// Does what is due on the connection to Redis, and sends the batch unless it `isFilling`.
  package mutating func endRound() {
    redis.tick(now)
    noticeLoss()
    figures.waiting.set(waiting.count + unansweredInFlight)
    let isFilling = isFilling
    if redis.isReady, !isFilling {
      if inFlight == nil { makeBatch() }
      sendBatch()
    }
    isConnected = redis.isReady
    isCounting = isConnected && lastError == nil
    deadline = isFilling ? now : min(redis.deadline, min(flightDeadline, waiting.deadline))
  }
}

// MARK: - The batch

extension GroupCommit {
  /// Puts the visits that wait into a batch, up to the limit of counters.
  private mutating func makeBatch() {
    guard !waiting.isEmpty else { return }
    waiting.removeFirst { visit in builder.add(visit) }
    inFlight = InFlight(batch: builder.makeBatch(number: claim.makeBatchNumber()))
  }

  /// Sends the batch in flight, unless it was sent on this connection.
  private mutating func sendBatch() {
    guard let batch = inFlight.take() else { return }
    let isSent = batch.sentAt != nil
    if !isSent {
      redis.send(claim.command(for: batch.batch, keys: keys, withText: sendsText), now)
    }
    inFlight = InFlight(batch: batch.batch, sentAt: batch.sentAt ?? now)
    noticeLoss()
  }

  /// A batch that was sent on a lost connection has to be sent again.
  private mutating func noticeLoss() {
    guard inFlight?.sentAt != nil, !redis.isAwaitingReply else { return }
    inFlight?.sentAt = nil
    figures.interrupted.add(1)
  }

  private mutating func handleReply(_ reply: consuming Reply) {
    guard let sentAt = inFlight?.sentAt else { preconditionFailure("a reply to no batch") }
    figures.roundTrips.record((now - sentAt).nanoseconds)
    inFlight?.sentAt = nil
    if let error = reply.error { return handleError(error) }
    let text = reply.text
    guard let totals = Self.parseTotals(text, count: inFlight?.batch.groups.count ?? 0) else {
      return handleError("an unexpected reply: \(text)")
    }
    handleTotals(totals)
  }

  /// The totals of a reply, nil for a refused counter; nil unless there are as many as `count`.
  private static func parseTotals(_ text: String, count: Int) -> UniqueArray<Int64?>? {
    var totals = UniqueArray<Int64?>(minimumCapacity: count)
    // Most batches have one counter, and this saves them 400 instructions.
    if count == 1, let total = Int64(text) {
      totals.append(total)
      return consume totals
    }
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      let total = Int64(word)
      guard total != nil || word == "!" else { return nil }
      totals.append(total)
    }
    guard totals.count == count else { return nil }
    return consume totals
  }

  private mutating func handleTotals(_ totals: consuming UniqueArray<Int64?>) {
    sendsText = false
    guard let batch = endFlight() else { return }
    let answered = AnsweredBatch(batch, totals: totals)
    if let counter = answered.refusedCounter {
      figures.refused.add(1)
      lastError = "the value of \(keys[Int(counter.index)]) is not an integer with room for more"
    } else {
      lastError = nil
    }
    if answered.addedCount > 0 { figures.batches.record(Int64(answered.addedCount)) }
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
    case .transient:
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
    var index = 0
    // Visits that arrived in one round have waited equally long.
    while let run = flight.batch.run(at: index) {
      recordWait(until: run.deadline, visits: run.count)
      index += run.count
    }
    return flight.batch
  }
}

// MARK: - Expiry

extension GroupCommit {
  /// The deadline of the first visit in flight.
  private var flightDeadline: Instant {
    switch inFlight {
    case .some(let flight): flight.batch.deadline
    case .none: .never
    }
  }

  /// How many visits in flight wait for their outcome.
  private var unansweredInFlight: Int {
    switch inFlight {
    case .some(let flight): flight.batch.unansweredCount
    case .none: 0
    }
  }

  private mutating func nextExpired() -> Outcome? {
    let deadlines = (flightDeadline, waiting.deadline)
    if let ticket = inFlight?.batch.removeExpired(now) {
      recordWait(until: deadlines.0)
      if unansweredInFlight == 0 { abandonBatch() }
      return Outcome(ticket: ticket, number: nil)
    }
    guard let ticket = waiting.removeExpired(now) else { return nil }
    recordWait(until: deadlines.1)
    return Outcome(ticket: ticket, number: nil)
  }

  /// Gives up the batch in flight, because all its visits have expired. Whether Redis counted it stays
  /// unknown. So its connection is closed, and no other batch is sent behind it.
  private mutating func abandonBatch() {
    let wasSent = inFlight?.sentAt != nil
    inFlight = nil
    if wasSent { redis.drop(.tooSlow(timeout), now) }
  }

  /// Records how long visits waited that would have expired at `deadline`.
  private func recordWait(until deadline: Instant, visits: Int = 1) {
    figures.waits.record((now + timeout - deadline).nanoseconds, times: visits)
  }
}
