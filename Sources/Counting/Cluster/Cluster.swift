import BasicContainers
import DequeModule
import Redis
import System
import Telemetry

// How visits are counted on a Redis Cluster
//
// A script can only touch the keys of one slot, and a slot has one primary at a time. So each bucket has a
// writer of its own, and so has `/`: 17 writers an event loop, each as `Claim` describes it, with its record in
// the slot of its counters. A writer has one batch in flight, wherever the slot is.
//
// The batches of all writers whose slots a node has travel together, as one flight on the one connection to
// that node, with one WAIT behind them when replicas are waited for. A node has one flight at a time; visits
// that arrive meanwhile go with the next.
//
// Where a slot is, the nodes say themselves. A writer asks the node that served it last. MOVED names another
// node, and ASK one for this time only. When a node does not answer, its writers ask any other, which knows
// whether a replica was promoted.
//
// Why it stays exact. An error means that nothing was written. A batch and its record are in one slot, and a
// node carries out a batch only if it has all of its keys: while a slot moves, a command with a key that has
// left, or one that is not there yet, is refused (ASK, TRYAGAIN). So a batch finds its record wherever its
// counters are. At the node that a slot is moving to (ASKING), a command of one key would make that key anew;
// so nothing is sent there that makes one: the batch has two keys at least, and `RenewalScript` makes none.
//
// Every node that is spoken to must be one of a cluster (READWRITE in the greeting), or several servers could
// each count for themselves.

/// The writers of an event loop, and the nodes of the Redis Cluster that they ask.
final class Cluster {
  let address: RedisAddress
  let hits: String
  let mostCounters: Int
  let timeout: Interval
  let minReplicas: Int
  let surveyInterval: Interval?
  let poller: Poller
  let owner: UInt8
  let figures: GroupCommit.Figures

  /// Of all connections to nodes. To the outside, the connection of the event loop stands while all do.
  private let nodeFigures = RedisConnection.Figures()
  private var failures: UInt64 = 0
  var now: Instant

  var nodes = UniqueArray<ClusterNode>()

  /// A writer for each bucket, and then the one for the counter of `/`.
  var writers = UniqueArray<BucketWriter>()

  /// How many visits wait in the writers and in their batches.
  var visitCount = 0

  /// Visits that are refused, since as many wait as may.
  private var refused = UniqueDeque<UInt128>()

  /// The batch that is collected; one after another for all writers.
  var builder = BatchBuilder()
  var answered = UniqueDeque<AnsweredBatch>()
  var lists = ListQueue()
  var page: ListPage?

  /// The surveys of buckets that are still to be made, and those that were made of this round of them.
  var unsurveyed: [Int] = []
  var surveys: [Survey] = []
  var nextSurvey: Instant
  var survey: Survey?

  /// Set when the user of Redis lacks the rights for counters with names.
  var namesRefusedAt: Instant?

  /// When the writers without visits ask next whether they would be served.
  private var nextCheck: Instant

  /// No visit expires before this moment.
  private var expiry = Instant(nanoseconds: 0)

  private(set) var deadline = Instant(nanoseconds: 0)
  private(set) var isConnected = false

  /// How often writers without visits ask whether they would be served.
  private static var checkInterval: Interval { .seconds(1) }

  /// A node that is not used is forgotten after this time.
  private static var retirement: Interval { .seconds(60) }

  /// - Throws: when there is no descriptor for a resolver, or a socket's path is too long.
  init(
    _ address: RedisAddress, hits: String, mostCounters: Int, timeout: Interval, minReplicas: Int,
    surveyInterval: Interval?, _ poller: Poller, owner: UInt8, _ figures: GroupCommit.Figures,
    _ script: BatchScript, _ now: Instant
  ) throws(SystemError) {
    self.address = address
    self.hits = hits
    self.mostCounters = mostCounters
    self.timeout = timeout
    self.minReplicas = minReplicas
    self.surveyInterval = surveyInterval
    self.poller = poller
    self.owner = owner
    self.figures = figures
    self.now = now
    nextCheck = now + Self.checkInterval
    nextSurvey = surveyInterval == nil ? .never : now
    let buckets = Int(CounterName.buckets)
    for bucket in 0..<buckets {
      writers.append(BucketWriter(bucket: bucket, hits: hits, script: script))
    }
    writers.append(BucketWriter(bucket: nil, hits: hits, script: script))
    for seed in address.seeds { nodes.append(try makeNode(seed, isSeed: true, index: nodes.count)) }
  }

  private func makeNode(
    _ endpoint: RedisAddress.Endpoint, isSeed: Bool, index: Int
  ) throws(SystemError) -> ClusterNode {
    try ClusterNode(
      endpoint, like: address, isSeed: isSeed, index: index, timeout: timeout, poller, owner: owner,
      nodeFigures, now)
  }

  /// The share of `mostCounters` that a bucket may have. No bucket sees the size of another, so each has a
  /// sixteenth: all together never exceed the limit.
  static func share(of mostCounters: Int, bucket: Int) -> Int {
    let buckets = Int(CounterName.buckets)
    return mostCounters / buckets + (bucket < mostCounters % buckets ? 1 : 0)
  }
}

// MARK: - A round

extension Cluster {
  func beginRound(_ now: Instant) {
    self.now = now
    countWaiting()
    for node in 0..<nodes.count {
      nodes[node].waitingBefore = nodes[node].isIdle ? nodes[node].waiting : 0
    }
  }

  /// Handles an event on a descriptor of the connection to a node.
  func handleEvent(_ event: Event) {
    let node = RedisConnection.index(of: event) - 1
    guard node >= 0, node < nodes.count else { return }
    nodes[node].redis.handleEvent(event, now)
    while let reply = nodes[node].redis.nextReply(now) { handleReply(reply, from: node) }
    noticeLoss(node)
  }

  /// Does what is due on the connections, and sends the batches of each node that has none in flight.
  ///
  /// - Parameter arrived: the visits that arrived in this round. The writers take them.
  func endRound(_ arrived: inout WaitingVisits, _ keys: inout KeyTable) {
    for node in 0..<nodes.count where !nodes[node].isRetired {
      nodes[node].redis.tick(now)
      noticeLoss(node)
    }
    distribute(&arrived, &keys)
    if now >= nextSurvey, let surveyInterval {
      nextSurvey = now + surveyInterval
      unsurveyed = Array(0..<Int(CounterName.buckets))
      surveys = []
    }
    if now >= nextCheck { scheduleChecks() }
    for writer in 0..<writers.count {
      if writers[writer].isGivenUp, let batch = writers[writer].batch.take() {
        batch.releaseKeys(&keys)
      }
      leaveLostNode(writer)
    }
    countWaiting()
    for node in 0..<nodes.count where nodes[node].isIdle && !nodes[node].isFilling {
      sendFlight(to: node, &keys)
      noticeLoss(node)
    }
    retireUnusedNodes()
    noteState()
  }

  /// Whether a node's flight is held back for one more round.
  var isFilling: Bool {
    for node in 0..<nodes.count where nodes[node].isFilling { return true }
    return false
  }

  /// Gives each visit to the writer of its bucket, unless as many wait as may.
  private func distribute(_ arrived: inout WaitingVisits, _ keys: inout KeyTable) {
    while let visit = arrived.removeFirst() {
      guard visitCount < Limits.waitingVisits else {
        visit.releaseKeys(&keys)
        refused.append(visit.ticket)
        continue
      }
      let writer = keys.bucket(of: visit.counter) ?? writers.count - 1
      _ = writers[writer].waiting.append(visit)
      visitCount += 1
    }
  }

  private func countWaiting() {
    for node in 0..<nodes.count { nodes[node].waiting = 0 }
    for writer in 0..<writers.count {
      nodes[writers[writer].place].waiting += writers[writer].waiting.count
    }
  }

  /// Has each writer without visits find out whether it would be served: by a question, and while another is
  /// not served, by a registration, since a node may answer questions and write nothing.
  private func scheduleChecks() {
    nextCheck = now + Self.checkInterval
    var hasFault = false
    for writer in 0..<writers.count where writers[writer].fault != nil { hasFault = true }
    for writer in 0..<writers.count where writers[writer].visitCount == 0 {
      if hasFault { writers[writer].registration = nil } else { writers[writer].isCheckDue = true }
    }
  }

  /// Sends a writer whose node does not answer to another one, which says where the slot is by now.
  private func leaveLostNode(_ index: Int) {
    guard !writers[index].isUnderWay, nodes[writers[index].place].isLost else { return }
    if writers[index].target != nil {
      writers[index].target = nil
      return
    }
    let lost = writers[index].node
    writers[index].loss = .node(
      nodes[lost].endpoint.text, reason: nodes[lost].redis.error?.description ?? "")
    guard now >= writers[index].pausedUntil, let other = readyNode(after: lost) else { return }
    writers[index].node = other
  }

  /// The next node after one that could be asked in its place.
  func readyNode(after lost: Int) -> Int? {
    for step in 1..<max(nodes.count, 1) {
      let other = (lost + step) % nodes.count
      if !nodes[other].isRetired, nodes[other].redis.isReady { return other }
    }
    return nil
  }

  /// The index of a node, which is added to the table if it is not there; nil when it cannot be.
  func index(of endpoint: RedisAddress.Endpoint) -> Int? {
    var place = nodes.count
    for node in 0..<nodes.count {
      if nodes[node].isRetired {
        place = node
      } else if nodes[node].endpoint == endpoint {
        return node
      }
    }
    guard place < Limits.nodes else { return nil }
    do throws(SystemError) {
      let node = try makeNode(endpoint, isSeed: false, index: place)
      if place == nodes.count { nodes.append(node) } else { nodes[place] = node }
    } catch {
      return nil
    }
    return place
  }

  private func retireUnusedNodes() {
    for writer in 0..<writers.count {
      nodes[writers[writer].place].lastUse = now
      nodes[writers[writer].node].lastUse = now
    }
    for node in 0..<nodes.count
    where !nodes[node].isSeed && !nodes[node].isRetired && nodes[node].flight.isEmpty
      && now - nodes[node].lastUse > Self.retirement
    {
      nodes[node].redis.end()
      nodes[node].isRetired = true
      // Another node may take its place.
      for writer in 0..<writers.count where writers[writer].registration?.node == node {
        writers[writer].registration = nil
      }
    }
  }

  private func noteLost(_ requests: [ClusterNode.Request]) {
    for request in requests {
      switch request {
      case .registration(let writer), .batch(let writer): writers[writer].isUnderWay = false
      case .page: lists.noticeLoss()
      case .check, .survey, .confirmation, .probe: break
      }
    }
  }

  private func noticeLoss(_ node: Int) {
    let lost = nodes[node].noticeLoss()
    guard !lost.requests.isEmpty else { return }
    if lost.hasBatch { figures.interrupted.add(1) }
    noteLost(lost.requests)
    for writer in lost.unconfirmed { writers[writer].isUnderWay = false }
  }

  /// Notes when the next round has to begin, and what is known of the nodes.
  private func noteState() {
    var deadline =
      isFilling || !refused.isEmpty
      ? now : min(lists.isInFlight ? .never : lists.deadline, min(nextSurvey, nextCheck))
    let wasConnected = isConnected
    isConnected = true
    expiry = .never
    visitCount = 0
    for writer in 0..<writers.count {
      expiry = min(expiry, writers[writer].deadline)
      visitCount += writers[writer].visitCount
      if writers[writer].pausedUntil > now { deadline = min(deadline, writers[writer].pausedUntil) }
      if !writers[writer].isServed { isConnected = false }
    }
    record(wasConnected: wasConnected)
    for node in 0..<nodes.count where !nodes[node].isRetired {
      deadline = min(deadline, nodes[node].redis.deadline)
      if nodes[node].isIdle, minReplicas > 0 { deadline = min(deadline, nodes[node].nextProbe) }
    }
    self.deadline = min(deadline, expiry)
  }

  private func record(wasConnected: Bool) {
    if isConnected != wasConnected {
      if isConnected { figures.redis.connected.add(1) } else { figures.redis.lost.add(1) }
    }
    let current = nodeFigures.failed.current
    figures.redis.failed.add(Int(current &- failures))
    failures = current
  }
}

// MARK: - Outcomes

extension Cluster {
  /// The next outcome that is known, or nil.
  func nextOutcome(_ keys: inout KeyTable) -> Outcome? {
    while !answered.isEmpty {
      if let outcome = answered[0].nextOutcome() { return outcome }
      let batch = answered.removeFirst()
      batch.releaseKeys(&keys)
      builder.reuseStorage(of: batch)
    }
    if let ticket = refused.popFirst() { return Outcome(ticket: ticket, result: .unavailable) }
    return now < expiry ? nil : nextExpired(&keys)
  }

  private func nextExpired(_ keys: inout KeyTable) -> Outcome? {
    for writer in 0..<writers.count {
      if let ticket = writers[writer].batch?.removeExpired(now) {
        figures.waits.record(timeout.nanoseconds)
        return Outcome(ticket: ticket, result: .unavailable)
      }
      if let visit = writers[writer].waiting.removeExpired(now) {
        visit.releaseKeys(&keys)
        figures.waits.record(timeout.nanoseconds)
        return Outcome(ticket: visit.ticket, result: .unavailable)
      }
    }
    return nil
  }

  /// The next page that is known, or nil.
  func nextPage() -> ListPage? { page.take() ?? lists.removeExpired(now) }
}

// MARK: - What is known of Redis

extension Cluster {
  /// Why the connections are not all there, or not all nodes serve; nil while they do, and before the first
  /// attempt has failed.
  var error: RedisError? {
    for writer in 0..<writers.count {
      if let loss = writers[writer].loss { return loss }
    }
    return fault.map { .refused($0) }
  }

  /// Why nodes that answer carry out nothing of a writer; nil when they do of each.
  private var fault: String? {
    for writer in 0..<writers.count {
      if let fault = writers[writer].fault { return fault }
    }
    return nil
  }

  /// Why a batch was not carried out, or would not be; nil when the last of each writer was.
  var lastError: String? {
    if let fault { return fault }
    for writer in 0..<writers.count {
      if let error = writers[writer].error { return error }
    }
    return nil
  }

  /// How many replicas the node with the fewest has, of those that writers ask; nil when that is not known.
  var replicas: Int? {
    var fewest: Int?
    for writer in 0..<writers.count where writers[writer].loss == nil {
      guard let replicas = nodes[writers[writer].node].replicas else { continue }
      fewest = min(fewest ?? replicas, replicas)
    }
    return fewest
  }

  /// What is wrong, for clients of the program, so without any address: while some of the counters can be
  /// counted and others not; nil otherwise.
  var partialOutage: String? {
    var servedCount = 0
    var (hasLoss, hasShortage) = (false, false)
    for writer in 0..<writers.count {
      if writers[writer].loss != nil {
        hasLoss = true
      } else if writers[writer].isServed {
        if (nodes[writers[writer].node].replicas ?? 0) >= minReplicas {
          servedCount += 1
        } else {
          hasShortage = true
        }
      }
    }
    guard servedCount > 0, servedCount < writers.count else { return nil }
    if hasLoss { return "a node of Redis does not answer" }
    return hasShortage
      ? "too few replicas of a node of Redis answer" : "some counters cannot be counted"
  }
}

extension RedisAddress.Endpoint {
  /// The address of a node, for people.
  var text: String {
    switch self {
    case .tcp(let host, let port): HostPort(host: host, port: port).description
    case .unix(let path): path
    case .sentinel, .seeds: ""
    }
  }
}
