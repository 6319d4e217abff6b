import Redis
import System
import Telemetry

extension GroupCommit {
  /// What is wrong, in words, while a Redis Cluster carries out the visits of some counters and not those of
  /// others; nil otherwise.
  package var partialOutage: String? { cluster?.partialOutage }

  /// Whether Redis has refused the connection as only a node of a Cluster does.
  var isSentToCluster: Bool {
    if case .refused(let error) = redis.error { Redirection.isOfCluster(error) } else { false }
  }

  /// Hands all visits that wait to the writers of a Cluster, from now on.
  private mutating func becomeCluster() throws(SystemError) {
    let cluster = try Cluster(
      address, hits: hits, mostCounters: mostCounters, timeout: timeout, minReplicas: minReplicas,
      surveyInterval: surveyInterval, poller, owner: owner, figures, script, now)
    // A batch that was sent to a server that was none is in no slot: its visits get no number.
    if let flight = inFlight.take() { answered = AnsweredBatch(refused: flight.batch) }
    if lists.isInFlight { lists.noticeLoss() }
    swap(&cluster.lists, &lists)
    redis.end()
    self.cluster = cluster
  }

  /// Does what `endRound` does.
  mutating func endRoundOfCluster() {
    do {
      if cluster == nil { try becomeCluster() }
    } catch {
      // There is no descriptor, for a moment.
      deadline = now + .milliseconds(100)
    }
    guard let cluster else { return }
    cluster.endRound(&waiting, &keys)
    if let refusal = cluster.namesRefusedAt.take() {
      namesRefusedUntil = refusal + Self.refusalTime
    }
    figures.waiting.set(cluster.visitCount)
    figures.knownKeys.set(keys.count)
    survey = cluster.survey
    replicas = cluster.replicas
    lastError = cluster.lastError
    isConnected = cluster.isConnected
    isCounting = isConnected && lastError == nil && (replicas ?? minReplicas) >= minReplicas
    // The answers to a batch that became none of the cluster's are taken in the next round.
    deadline = answered == nil ? cluster.deadline : now
  }
}

extension Cluster {
  /// Asks a server whether it is a node of a cluster; any other answers with an error. It changes nothing.
  static let question = Command(["READWRITE"])
}

extension RedisAddress {
  /// The servers that it names, each by itself.
  var seeds: [Endpoint] {
    guard case .seeds(let seeds) = endpoint else { return [endpoint] }
    return seeds.map { .tcp(host: $0.host, port: $0.port) }
  }

  /// The address of one server: the first seed, if there are several.
  var firstSeed: RedisAddress {
    var address = self
    address.endpoint = seeds[0]
    return address
  }
}
