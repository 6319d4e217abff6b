import BasicContainers
import Redis
import System

/// A node of a Redis Cluster: the connection to it, and what was sent on it together.
struct ClusterNode: ~Copyable {
  let endpoint: RedisAddress.Endpoint
  var redis: RedisConnection

  /// Whether the settings name it; then it is known for ever.
  let isSeed: Bool

  /// Whether it is not used any more, and its place can be taken.
  var isRetired = false

  /// When a writer asked it last.
  var lastUse: Instant

  /// Grows with each connection that is lost.
  private(set) var connection = 0
  private var wasReady = false

  /// What awaits a reply, in the order in which it was sent, and how much of it was answered.
  private(set) var flight = UniqueArray<Request>()
  private var answeredCount = 0
  private(set) var sentAt = Instant(nanoseconds: 0)

  /// Batches that the node has carried out, with their outcomes, while it is not known whether enough
  /// replicas have them.
  var unconfirmed: [(writer: Int, outcomes: String)] = []

  /// How many replicas had what was written last, when the node was asked; nil before that.
  var replicas: Int?

  /// When it is asked for its replicas next, unless a batch asks before.
  var nextProbe = Instant(nanoseconds: 0)

  /// The writer whose turn it is first in the next flight.
  var turn = 0

  /// How many visits wait for its writers, and how many did when the round began; 0 then if a flight kept them
  /// waiting.
  var waiting = 0
  var waitingBefore = 0

  /// What gets a reply.
  enum Request {
    case registration(writer: Int)
    /// Whether the node serves the slot of a writer.
    case check(writer: Int)
    case batch(writer: Int)
    case survey(bucket: Int)
    case page
    /// How many replicas have the batches.
    case confirmation
    /// How many replicas there are.
    case probe
  }

  /// - Parameters:
  ///   - address: the address of the cluster, for its credentials.
  ///   - index: the node's place in the table of nodes. The connection has the next index, for 0 is that of the
  ///     connection that found out about the cluster.
  init(
    _ endpoint: RedisAddress.Endpoint, like address: RedisAddress, isSeed: Bool, index: Int,
    timeout: Interval, _ poller: Poller, owner: UInt8, _ figures: RedisConnection.Figures,
    _ now: Instant
  ) throws(SystemError) {
    var address = address
    address.endpoint = endpoint
    // An error if the server is none of a cluster. Two such servers would be two counts.
    var greeting = Command(startingLike: Cluster.question)
    greeting.pipeline(Command(["PING"]))
    redis = try RedisConnection(
      to: address, timeoutLimit: timeout, poller, owner: owner,
      index: UInt32(index + 1), figures: figures, greeting: greeting)
    self.endpoint = endpoint
    self.isSeed = isSeed
    lastUse = now
  }

  /// Whether something can be sent.
  var isIdle: Bool { !isRetired && redis.isReady && flight.isEmpty }

  /// Whether the last attempt to reach it has failed.
  var isLost: Bool { !redis.isReady && redis.error != nil }

  /// Whether the flight is held back for one more round; see `GroupCommit.isFilling`.
  var isFilling: Bool {
    let arrived = waiting - waitingBefore
    return arrived > 0 && arrived * 4 >= waiting && isIdle
  }

  /// Adds a command that gets a reply to those of the next flight.
  mutating func append(_ command: borrowing Command, _ request: Request) {
    redis.append(command)
    flight.append(request)
  }

  /// Sends the flight.
  mutating func send(confirmationTime: Interval?, _ now: Instant) {
    sentAt = now
    answeredCount = 0
    redis.sendAppended(
      answeredCount: flight.count, confirmationTime: confirmationTime, now)
  }

  /// What the next reply is about.
  mutating func takeRequest() -> Request {
    precondition(answeredCount < flight.count, "a reply to nothing")
    let request = flight[answeredCount]
    answeredCount += 1
    if answeredCount == flight.count { flight.removeAll(keepingCapacity: true) }
    return request
  }

  /// Notes that the connection was lost, if it was.
  ///
  /// - Returns: the requests that get no reply any more, the batches that are not confirmed any more, and
  ///   whether any of all that is a batch.
  mutating func noticeLoss() -> (requests: [Request], unconfirmed: [Int], hasBatch: Bool) {
    if wasReady, !redis.isReady {
      connection += 1
      replicas = nil
    }
    wasReady = redis.isReady
    guard !flight.isEmpty, !redis.isAwaitingReply else { return ([], [], false) }
    var requests: [Request] = []
    let writers = unconfirmed.map(\.writer)
    var hasBatch = !writers.isEmpty
    for index in answeredCount..<flight.count {
      requests.append(flight[index])
      if case .batch = flight[index] { hasBatch = true }
    }
    flight.removeAll(keepingCapacity: true)
    unconfirmed = []
    return (requests, writers, hasBatch)
  }
}
