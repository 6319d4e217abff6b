package import System
import Telemetry
package import Redis

/// Turns visits into numbers: group commit with at most one batch in flight.
///
/// Visits that come while a batch is in flight wait for the next one, which goes at the end of the
/// round in which the reply came, or, while rounds bring many visits, a few rounds later: so it takes
/// along what else has come. Whatever happens to the connection, a batch is sent again, unchanged,
/// until Redis says what the total is or the last of its visits has run out of time. Its claim sees
/// to it that this counts once.
///
/// The program drives it: events go to `ready`, the passing of time to `tick`; after either, and
/// after `dispatch`, it takes all answers with `nextAnswer`.
package struct Counter: ~Copyable {
  private var redis: Connection
  private var claim: Claim
  private let timeout: Interval
  private let figures: Figures
  private var now = Instant.now

  private var waiting = Batch()
  private var inFlight = Batch()
  private var settled = Batch()

  /// How many waited at the end of the last round, if they could have gone then.
  private var heldBefore = 0

  /// What the settled visits are told.
  private var outcome = Outcome.unavailable

  /// The command of the batch in flight was sent on this connection, and its reply has not come.
  private var isSent = false
  private var sentAt = Instant.never

  /// Redis does not know the script, and must be sent the whole of it.
  private var sendsScript = false

  private var refusals = Backoff(from: .milliseconds(10), to: .milliseconds(250))

  /// Why Redis, though it answers, did not count the last batch; nil since it counted one.
  package private(set) var refusal: String?

  private enum Outcome {
    case total(Int64)
    case unavailable
  }

  /// Counts under a key of Redis.
  ///
  /// - Parameters:
  ///   - key: holds the count as an integer, or nothing yet.
  ///   - timeout: how long a visit may wait for its number.
  ///   - owner: whose events its descriptors are, in the numbers of the program.
  package init(
    _ key: String, in location: Location, timeout: Interval, _ poller: Poller, owner: UInt8,
    figures: Figures = Figures()
  ) throws(SystemError) {
    // A reply that got lost must be noticed early enough to ask again within the visit's time.
    let patience = min(.seconds(1), max(.milliseconds(250), timeout / 4))
    claim = Claim(counter: key)
    redis = try Connection(
      to: location, timeout: patience, poller, owner: owner, figures: figures.redis,
      greeting: claim.registration)
    self.figures = figures
    self.timeout = timeout
  }

  /// Tells the time of the round that begins.
  package mutating func beginRound(_ now: Instant) {
    self.now = now
    heldBefore = isSent ? 0 : waiting.count
  }

  /// Whether Redis answers.
  package var isConnected: Bool { redis.isReady }

  /// Why Redis does not answer, as far as it is known.
  package var failure: Failure? { redis.failure }

  /// When it wants to be called again though no event comes.
  package var deadline: Instant {
    min(redis.deadline, min(inFlight.deadline, waiting.deadline))
  }
}

// MARK: - Visits

extension Counter {
  /// Takes a visit; some later `nextAnswer` gives its ticket back.
  package mutating func count(_ ticket: UInt128) {
    if waiting.isAnswered, !redis.isReady { redis.hurry(now) }
    waiting.append(Visit(ticket: ticket, deadline: now + timeout))
  }

  /// The next answer that is ready, or nil.
  package mutating func nextAnswer() -> Answer? {
    if let (ticket, place) = settled.next() {
      guard case .total(let total) = outcome else { return Answer(ticket: ticket, number: nil) }
      return Answer(ticket: ticket, number: total - Int64(settled.count - 1 - place))
    }
    let deadlines = (inFlight.deadline, waiting.deadline)
    if let ticket = inFlight.nextExpired(now) {
      if inFlight.isAnswered { giveUp() }
      noteWaits(until: deadlines.0)
      return Answer(ticket: ticket, number: nil)
    }
    guard let ticket = waiting.nextExpired(now) else {
      waiting.dropAnsweredIfMost()
      return nil
    }
    noteWaits(until: deadlines.1)
    return Answer(ticket: ticket, number: nil)
  }

  /// Notes how long visits have waited that had time until `deadline`.
  private mutating func noteWaits(until deadline: Instant, of visits: Int = 1) {
    figures.waits.record((now + timeout - deadline).nanoseconds, times: visits)
  }

  /// Whether a batch could go, but a quarter of it or more was not there when it could have gone a
  /// round ago. Then the next round is worth a look first, without a wait for events: a batch costs
  /// Redis the same, however many share it. A round that brings fewer ends this, so the number of
  /// rounds grows with the logarithm of the batch at most.
  package var isFilling: Bool {
    let new = waiting.count - heldBefore
    return new > 0 && new * 4 >= waiting.unanswered && inFlight.count == 0 && redis.isReady
  }

  /// Sends the batch that is due: the one in flight again if its connection was lost, or else
  /// the visits that wait. Call it at the end of every round, but those after which it `isFilling`.
  package mutating func dispatch() {
    figures.waiting.set(waiting.unanswered + inFlight.unanswered)
    guard redis.isReady, !isSent else { return }
    if inFlight.count == 0 {
      waiting.dropAnswered()
      guard waiting.count > 0 else { return }
      swap(&waiting, &inFlight)
      claim.advance()
    }
    isSent = true
    sentAt = now
    redis.send(claim.command(adding: inFlight.count, withScript: sendsScript), now)
    noticeLoss()
  }

  /// Nobody waits for the batch in flight any more. If it was sent, nobody will ever know whether it
  /// was counted, so its connection goes too: nothing else may be sent behind it.
  private mutating func giveUp() {
    inFlight.removeAll()
    if isSent { redis.drop(.timedOut, now) }
    isSent = false
  }

  /// Ends the batch in flight with what its visits are told.
  private mutating func settle(_ outcome: Outcome) {
    precondition(settled.isAnswered, "take all answers before the next reply")
    settled.removeAll()
    swap(&inFlight, &settled)
    self.outcome = outcome
    // Visits that came in one round have waited equally long.
    var index = 0
    while let run = settled.run(at: index) {
      noteWaits(until: run.deadline, of: run.count)
      index += run.count
    }
  }
}

// MARK: - Events and time

extension Counter {
  /// Does what an event on the connection to Redis calls for.
  package mutating func ready(_ event: Event) {
    redis.ready(event, now)
    while let reply = redis.nextReply(now) { take(reply) }
    noticeLoss()
  }

  /// Does what has become due.
  package mutating func tick() {
    redis.tick(now)
    noticeLoss()
  }

  /// What was sent on a connection that is gone has to be sent again.
  private mutating func noticeLoss() {
    guard isSent, !redis.isAwaitingReply else { return }
    isSent = false
    figures.interrupted.add(1)
  }

  private mutating func take(_ reply: consuming Reply) {
    isSent = false
    figures.roundTrips.record((now - sentAt).nanoseconds)
    if let total = reply.integer {
      figures.batches.record(Int64(inFlight.count))
      sendsScript = false
      refusal = nil
      refusals.succeeded()
      settle(.total(total))
    } else {
      takeError(reply.error ?? "an answer that is no number")
    }
  }

  private mutating func takeError(_ error: String) {
    switch Refusal(error) {
    case .unknownScript:
      sendsScript = true
    case .defect:
      figures.refused.add(1)
      refusal = error
      settle(.unavailable)
    case .transient:
      figures.refused.add(1)
      refusal = error
      // Another connection may lead to another server, or be let in.
      redis.drop(.refused(error), now, retryAfter: refusals.failed())
    }
  }
}

/// What an error that Redis answers a batch with asks for. None of them has counted anything.
enum Refusal: Equatable {
  /// Redis does not know the script, and must be sent the whole of it (NOSCRIPT).
  case unknownScript
  /// The counter holds what is no number, or has no room for another; only a person can help.
  case defect
  /// Redis cannot do it now: it is loading, read-only, out of memory, wants a password, …
  case transient

  /// Before Redis 7, what a command says inside a script stands in the middle of the text.
  init(_ error: String) {
    if error.hasPrefix("NOSCRIPT") {
      self = .unknownScript
    } else if Self.defects.contains(where: error.contains) {
      self = .defect
    } else {
      self = .transient
    }
  }

  private static let defects = ["WRONGTYPE", "not an integer", "STALE"]
}
