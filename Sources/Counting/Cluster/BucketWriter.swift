import BasicContainers
import Redis
import System

/// A writer of a Redis Cluster: it counts the visits of one bucket, or those of `/`, and has a claim in the
/// slot of their counters.
struct BucketWriter: ~Copyable {
  /// The number of the bucket; nil for the counter of `/`.
  let bucket: Int?

  var claim: Claim

  /// The visits that are in no batch yet.
  var waiting = WaitingVisits()

  /// The batch whose outcomes are not known.
  var batch: Batch?

  /// Whether a registration or the batch is on its way to a node.
  var isUnderWay = false

  /// The node that is asked, by its index.
  var node = 0

  /// The node that is asked once in its place, for the slot is moving there.
  var target: Int?

  /// On which connection the writer was registered last.
  var registration: Registration?

  /// The node does not know the script's digest.
  var sendsText = false

  /// The pause after an error, and until when it lasts.
  var backoff = Backoff(from: .milliseconds(10), to: .milliseconds(500))
  var pausedUntil = Instant(nanoseconds: 0)

  /// How often it was sent from node to node since it was served.
  var redirections = 0

  /// Whether a node has ever answered that it has the slot.
  var wasServed = false

  /// Why it is not served: a node that does not answer.
  var loss: RedisError?

  /// Why nodes carry out nothing that it sends; nil once one has.
  var fault: String?

  /// What was wrong with the last batch that a node did not refuse for a fault; nil after one without error.
  var error: String?

  /// Whether its node has to be asked whether it serves the slot, since no batch asks.
  var isCheckDue = false

  /// A connection to a node.
  struct Registration: Equatable {
    let node: Int
    let connection: Int
  }

  /// - Parameter hits: the key of the counter of `/`.
  init(bucket: Int?, hits: String, script: BatchScript) {
    self.bucket = bucket
    claim = Claim(tag: bucket.map(String.init) ?? hits, script: script)
  }

  /// The node that gets the next command.
  var place: Int { target ?? node }

  /// Whether nodes carry out what it sends, as far as is known.
  var isServed: Bool { wasServed && loss == nil && fault == nil }

  /// How many visits wait for their outcome.
  var visitCount: Int { waiting.count + unansweredCount }

  private var unansweredCount: Int {
    switch batch {
    case .some(let batch): batch.unansweredCount
    case .none: 0
    }
  }

  /// Whether all visits of the batch have expired, and nothing of it is on its way.
  var isGivenUp: Bool {
    switch batch {
    case .some(let batch): batch.unansweredCount == 0 && !isUnderWay
    case .none: false
    }
  }

  /// How many operations the batch has.
  var operationCount: Int {
    switch batch {
    case .some(let batch): batch.operations.count
    case .none: 0
    }
  }

  /// The command that carries out the batch, if there is one.
  ///
  /// - Parameter mostCounters: how many counters with names there may be in all buckets.
  func command(_ keys: borrowing KeyTable, mostCounters: Int) -> Command? {
    let most = bucket.map { Cluster.share(of: mostCounters, bucket: $0) } ?? mostCounters
    return switch batch {
    case .some(let batch):
      claim.command(
        for: batch, keys, mostCounters: most, withText: sendsText, bucket: bucket,
        isAsking: target != nil)
    case .none: nil
    }
  }

  /// The deadline of the first visit that waits.
  var deadline: Instant {
    switch batch {
    case .some(let batch): min(batch.deadline, waiting.deadline)
    case .none: waiting.deadline
    }
  }

  /// Notes that the node answers that has the slot.
  mutating func noteAnswer() {
    wasServed = true
    loss = nil
    redirections = 0
  }

  /// Notes that a node has carried out what was asked.
  mutating func noteService() {
    noteAnswer()
    fault = nil
    pausedUntil = Instant(nanoseconds: 0)
    backoff.succeeded()
  }

  /// Asks nobody for a while.
  mutating func pause(_ now: Instant) {
    pausedUntil = now + backoff.failed()
  }
}
