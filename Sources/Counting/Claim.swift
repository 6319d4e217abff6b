import BasicContainers
import Redis
import System

// How visits are counted exactly once
//
// A writer, one an event loop, has a random identity and numbers its batches 1, 2, 3, … The field knows
// the shape as an idempotent producer (Kafka: producer id and sequence number) or as a client session
// with one request in flight (Viewstamped Replication, the client of TigerBeetle).
//
// Format. The claim's record is the key `{hits}:claim:IDENTITY`. Its value is the number of the last
// batch that was carried out, and the outcomes of its operations in the words of `OperationOutcome`:
// `7 42 ! 1003`, with `!` for a counter that holds no integer; `0 0` before the first batch.
//
// Keys. The counter of `/` is `hits`. A counter with a name is in one of 16 buckets: `{7}:blog/home`.
// `{7}:counters` is the number of counters in the bucket. `{7}:once:9:blog/home:KEY` is the record of an
// idempotency key, with the length of the name before the name: the amount, and the number that was
// answered. No counter has such a key, because a namespace holds no colon. A bucket is a hash tag, so its
// keys are in one slot of a Redis Cluster. There each bucket has writers of its own, whose records are in the
// bucket: `{7}:claim:IDENTITY`; see `Cluster`.
//
// Invariants:
// 1. A writer has one batch in flight. The next batch is sent when the reply to this one is known, or
//    when all its visits have expired; in the second case its connection is closed first.
// 2. A batch number is never used for two batches.
// 3. A batch is frozen once it is sent: operations and number stay the same in every copy.
// 4. The script writes all counters and the record with one MSET, or it writes nothing. So a batch that
//    changed a counter was carried out exactly once, with the recorded outcomes. A batch that only read, or
//    whose hits were all refused, writes nothing and can be carried out again: it changed nothing.
// 5. A copy that finds its own number in the record returns the recorded outcomes and writes nothing. A
//    copy that finds a later number returns the error STALE and writes nothing.
// 6. An error in place of outcomes means that nothing was written, so the batch may be sent again.
// 7. A record lives for a day after its last batch (PEXPIRE, pipelined behind each), which is far longer
//    than a copy of a command can stay in the buffers of a network and still arrive.
//
// Why one write, and why a connection begins with two. Redis logs several writes of a script between
// MULTI and EXEC, but a single write as it is. When a crash tears its append-only file inside a
// transaction, Redis (7.0 to 8.2) leaves the first half in the file. That half becomes part of the next
// transaction there and is executed after another restart: a batch in it would count twice, and a batch
// logged behind it would be lost until an EXEC comes. So a batch is one write, and the registration,
// before the first batch of a connection, is two: its EXEC ends whatever a crash left open. (Valkey
// mended it: https://github.com/valkey-io/valkey/pull/4342.)

/// The identity of a writer, and the commands that carry it.
struct Claim: ~Copyable {
  private let script: BatchScript

  /// The key of the record.
  private let record: String

  /// The key of the index of all records: see `RegistrationScript`.
  private let index: String

  /// The command of a batch of one operation, up to the key of its counter.
  private let opening: Command

  /// Puts off the record's expiry.
  private let renewal: Command

  /// Waits until enough replicas have the batch; nil when none is needed.
  private let confirmation: Command?

  /// How long Redis waits for replicas before it says how many have the batch. A batch that too few have is
  /// sent again.
  private static var confirmationTime: Interval { .seconds(1) }

  private var lastBatchNumber: UInt64 = 0

  /// How long a record lives, in milliseconds.
  static var life: UInt64 { 24 * 60 * 60 * 1000 }

  /// A claim with a new random identity.
  ///
  /// - Parameters:
  ///   - tag: the hash tag of its keys.
  ///   - minReplicas: how many replicas must have a batch before its visits are answered.
  init(tag: String, script: BatchScript, minReplicas: Int = 0) {
    let identity = UInt128.random(in: .min ... .max)
    self.script = script
    record = "{\(tag)}:claim:\(String(identity, radix: 16))"
    index = "{\(tag)}:claims"
    opening = Self.opening("EVALSHA", script.digest, record, operationKeys: 1)
    renewal = Command(["PEXPIRE", record, String(Self.life)])
    confirmation =
      minReplicas == 0 ? nil : Self.wait(replicas: minReplicas, within: Self.confirmationTime)
  }

  /// Registers the writer, which is needed on each connection before its first batch.
  var registration: Command {
    Command(["EVAL", RegistrationScript.text, "1", record, String(Self.life), index])
  }

  /// Asks a node of a Redis Cluster whether it serves the slot of the record.
  var check: Command { Command(["GET", record]) }

  /// The first commands of a connection.
  var greeting: Command {
    var ping = Command(["PING"])
    ping.pipeline(registration)
    return ping
  }

  /// What stands in for the registration at a node of a Redis Cluster that a slot is moving to: two writes,
  /// unless the record is not there yet. It must not make one there.
  var renewalTwice: Command {
    Command(["EVAL", RenewalScript.text, "1", record, String(Self.life)])
  }

  /// The key of the number of counters in a bucket.
  static func sizeKey(ofBucket bucket: Int) -> String { "{\(bucket)}:counters" }

  /// A number for a new batch.
  mutating func makeBatchNumber() -> UInt64 {
    lastBatchNumber += 1
    return lastBatchNumber
  }

  /// The command that carries out a batch.
  ///
  /// - Parameters:
  ///   - keys: the keys that the batch refers to.
  ///   - mostCounters: how many counters with names there may be.
  ///   - withText: sends the text of the script, for a Redis that does not know its digest.
  ///   - bucket: on a Redis Cluster the bucket of all counters, if they have names. Its size is read as a last
  ///     operation.
  ///   - isAsking: asks a node that the slot is moving to (ASKING before each command).
  func command(
    for batch: borrowing Batch, _ keys: borrowing KeyTable, mostCounters: Int, withText: Bool,
    bucket: Int? = nil, isAsking: Bool = false
  ) -> Command {
    let count = batch.operations.count
    var keyCount = bucket == nil ? count : count + 1
    for index in 0..<count {
      if case .addOnce = batch.operations[index].action { keyCount += 1 }
    }
    var command =
      if withText {
        Self.opening(
          "EVAL", script.text, record, operationKeys: keyCount, isOfBucket: bucket != nil)
      } else if keyCount == 1 {
        Command(startingLike: opening)
      } else {
        Self.opening(
          "EVALSHA", script.digest, record, operationKeys: keyCount, isOfBucket: bucket != nil)
      }
    for index in 0..<count {
      command.append(bytes: keys.key(batch.operations[index].counter))
      if case .addOnce(_, let record) = batch.operations[index].action {
        command.append(bytes: keys.key(record))
      }
    }
    if let bucket { command.append(Self.sizeKey(ofBucket: bucket)) }
    command.append(Int64(batch.number))
    for index in 0..<count { command.append(step: batch.operations[index].action) }
    if bucket != nil { command.append(step: .read) }
    command.append(Int64(mostCounters))
    if let bucket { command.append(Int64(bucket + 1)) }
    pipelineRest(of: batch, keys, isAsking, to: &command)
    return command
  }

  /// Pipelines what has to follow a batch, and can be repeated without harm.
  private func pipelineRest(
    of batch: borrowing Batch, _ keys: borrowing KeyTable, _ isAsking: Bool,
    to command: inout Command
  ) {
    // It writes, whatever the batch does. So WAIT, behind it, is about a place in the stream of writes behind
    // all that the batch has written or read.
    if isAsking { command.pipeline(Self.asking) }
    command.pipeline(renewal)
    pipelineExpiries(of: batch, keys, isAsking, to: &command)
    switch confirmation {
    case .some(let confirmation):
      command.pipelineConfirmation(confirmation, within: Self.confirmationTime)
    case .none: break
    }
  }

  private func pipelineExpiries(
    of batch: borrowing Batch, _ keys: borrowing KeyTable, _ isAsking: Bool,
    to command: inout Command
  ) {
    var removedCount = 0
    for index in 0..<batch.operations.count {
      switch batch.operations[index].action {
      case .addOnce(_, let record):
        var expiry = Command(argumentCount: 3)
        expiry.append("PEXPIRE")
        expiry.append(bytes: keys.key(record))
        expiry.append(Int64(Self.life))
        if isAsking { command.pipeline(Self.asking) }
        command.pipeline(expiry)
      case .remove: removedCount += 1
      default: break
      }
    }
    guard removedCount > 0 else { return }
    var removal = Command(argumentCount: 3 + removedCount)
    removal.append("EVAL")
    removal.append(RemovalScript.text)
    removal.append(Int64(removedCount))
    for index in 0..<batch.operations.count where batch.operations[index].action == .remove {
      removal.append(bytes: keys.key(batch.operations[index].counter))
    }
    if isAsking { command.pipeline(Self.asking) }
    command.pipeline(removal)
  }

  /// Lets the next command have keys of a slot that is moving to the node.
  static var asking: Command { Command(["ASKING"]) }

  /// Asks how many replicas have all that was written on this connection, when enough have it or the time is
  /// up (https://redis.io/docs/latest/commands/wait/).
  static func wait(replicas: Int, within time: Interval) -> Command {
    Command(["WAIT", String(replicas), String(time.nanoseconds / 1_000_000)])
  }

  private static func opening(
    _ name: String, _ script: String, _ record: String, operationKeys count: Int,
    isOfBucket: Bool = false
  ) -> Command {
    var command = Command(argumentCount: 6 + 2 * count + (isOfBucket ? 1 : 0))
    command.append(name)
    command.append(script)
    command.append(Int64(count + 1))
    command.append(record)
    return command
  }
}

extension Command {
  /// Adds what the script of a batch has to do for an action, as `BatchScript` describes it.
  fileprivate mutating func append(step action: Action) {
    switch action {
    case .hit: append(1)
    case .read: append(0)
    case .add(let number): append(number)
    case .set(let number): append("=\(number)")
    case .create(let number): append("*\(number)")
    case .remove: append("x")
    case .addOnce(let number, _):
      append("@\(number)")
      append("")
    }
  }
}
