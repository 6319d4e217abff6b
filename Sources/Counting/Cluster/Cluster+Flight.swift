import BasicContainers
import DequeModule
import Redis
import System
import Telemetry

// MARK: - Sending

extension Cluster {
  /// How long a node waits for replicas before it says how many have the batches.
  private static var confirmationTime: Interval { .seconds(1) }

  /// How often a node is asked for its replicas while no batch asks, and how long it may wait for them.
  private static var probeInterval: Interval { .seconds(1) }
  private static var probeTime: Interval { .milliseconds(100) }

  /// Sends what the writers of a node have to be sent, all in one flight.
  func sendFlight(to node: Int, _ keys: inout KeyTable) {
    var operations = 0
    let first = nodes[node].turn
    for step in 0..<writers.count {
      let writer = (first + step) % writers.count
      guard writers[writer].place == node, !writers[writer].isUnderWay,
        now >= writers[writer].pausedUntil
      else { continue }
      if operations >= Limits.operationsABatch || !send(writer, to: node, &operations, &keys) {
        nodes[node].turn = writer
        break
      }
    }
    // Before WAIT: it is the last command of a flight, and each flight may carry a batch.
    sendQuestions(to: node)
    var confirmationTime: Interval?
    if minReplicas > 0 {
      if operations > 0 {
        confirmationTime = Self.confirmationTime
        nodes[node].append(
          Claim.wait(replicas: minReplicas, within: Self.confirmationTime), .confirmation)
      } else if now >= nodes[node].nextProbe {
        nodes[node].nextProbe = now + Self.probeInterval
        nodes[node].append(Claim.wait(replicas: minReplicas, within: Self.probeTime), .probe)
      }
    }
    guard !nodes[node].flight.isEmpty else { return }
    nodes[node].send(confirmationTime: confirmationTime, now)
  }

  /// Adds the batch of a writer to a flight, or its registration if that has to come before.
  ///
  /// - Returns: false when the flight has no room for it.
  private func send(
    _ writer: Int, to node: Int, _ operations: inout Int, _ keys: inout KeyTable
  ) -> Bool {
    if writers[writer].batch == nil { makeBatch(writer, &keys) }
    let isAsking = writers[writer].target != nil
    let connection = BucketWriter.Registration(node: node, connection: nodes[node].connection)
    guard isAsking || writers[writer].registration == connection else {
      guard nodes[node].redis.room > 1 else { return false }
      nodes[node].append(writers[writer].claim.registration, .registration(writer: writer))
      writers[writer].isUnderWay = true
      return true
    }
    guard let command = writers[writer].command(keys, mostCounters: mostCounters) else {
      writers[writer].target = nil
      if writers[writer].isCheckDue, !isAsking, nodes[node].redis.room > 1 {
        writers[writer].isCheckDue = false
        nodes[node].append(writers[writer].claim.check, .check(writer: writer))
      }
      return true
    }
    guard nodes[node].redis.room > command.pipelinedCount + 4 else { return false }
    if isAsking {
      nodes[node].redis.append(Claim.asking, isAnswered: false)
      nodes[node].redis.append(writers[writer].claim.renewalTwice, isAnswered: false)
      nodes[node].redis.append(Claim.asking, isAnswered: false)
    }
    nodes[node].append(command, .batch(writer: writer))
    writers[writer].isUnderWay = true
    operations += writers[writer].operationCount
    return true
  }

  /// Puts the visits of a writer into a batch, up to the limit of operations.
  private func makeBatch(_ writer: Int, _ keys: inout KeyTable) {
    guard !writers[writer].waiting.isEmpty else { return }
    writers[writer].waiting.removeFirst { visit in builder.add(visit, &keys) }
    writers[writer].waiting.releaseStorage()
    let number = writers[writer].claim.makeBatchNumber()
    writers[writer].batch = builder.makeBatch(number: number, &keys)
  }

  /// Adds the surveys of the node's buckets, and the first page if its bucket is there.
  private func sendQuestions(to node: Int) {
    unsurveyed.removeAll { bucket in
      guard isServed(bucket, by: node) else { return false }
      nodes[node].append(Survey.command(bucket: bucket), .survey(bucket: bucket))
      return true
    }
    if !lists.isEmpty, !lists.isInFlight, isServed(lists.bucket, by: node) {
      nodes[node].append(lists.sendToBucket(), .page)
    }
  }

  private func isServed(_ bucket: Int, by node: Int) -> Bool {
    writers[bucket].node == node && now >= writers[bucket].pausedUntil
      && nodes[node].redis.room > 1
  }
}

// MARK: - Replies

extension Cluster {
  func handleReply(_ reply: consuming Reply, from node: Int) {
    switch nodes[node].takeRequest() {
    case .registration(let writer):
      writers[writer].isUnderWay = false
      if let error = reply.error {
        return handleError(error, of: writer, from: node, isRegistration: true)
      }
      writers[writer].registration = BucketWriter.Registration(
        node: node, connection: nodes[node].connection)
      // A batch that was refused has yet to show whether it is carried out now.
      if writers[writer].batch == nil {
        writers[writer].noteService()
      } else {
        writers[writer].noteAnswer()
      }
    case .check(let writer):
      guard let error = reply.error else { return }
      switch Redirection(error, from: nodes[node].endpoint) {
      case .ask, .split: break
      // The registration finds out what is wrong, or where the slot is now.
      default: writers[writer].registration = nil
      }
    case .batch(let writer): handleBatch(reply, of: writer, from: node)
    case .survey(let bucket):
      if let error = reply.error {
        _ = noteMove(error, of: bucket, from: node)
      } else if let survey = Survey(reply) {
        surveys.append(survey)
        if surveys.count == Int(CounterName.buckets) { self.survey = Survey(of: surveys) }
      }
    case .page:
      if let error = reply.error, noteMove(error, of: lists.bucket, from: node) {
        return lists.noticeLoss()
      }
      page = lists.handleReplyOfBucket(reply)
    case .probe: nodes[node].replicas = reply.integer.map(Int.init)
    case .confirmation: handleConfirmation(reply, from: node)
    }
  }

  /// Notes where a bucket is that was asked about, if that is what an error says.
  ///
  /// - Returns: whether the node there can be asked now.
  private func noteMove(_ error: String, of bucket: Int, from node: Int) -> Bool {
    guard case .moved(let endpoint) = Redirection(error, from: nodes[node].endpoint),
      let other = index(of: endpoint)
    else { return false }
    writers[bucket].node = other
    writers[bucket].redirections += 1
    return writers[bucket].redirections <= Limits.redirections
  }

  private func handleBatch(_ reply: borrowing Reply, of writer: Int, from node: Int) {
    figures.roundTrips.record((now - nodes[node].sentAt).nanoseconds)
    if let error = reply.error {
      writers[writer].isUnderWay = false
      return handleError(error, of: writer, from: node)
    }
    if minReplicas > 0 {
      nodes[node].unconfirmed.append((writer, reply.text))
    } else {
      handleOutcomes(reply.text, of: writer)
    }
  }

  /// Handles how many replicas have the batches of the flight: enough, or they have to be sent again.
  private func handleConfirmation(_ reply: borrowing Reply, from node: Int) {
    nodes[node].replicas = reply.integer.map(Int.init)
    nodes[node].nextProbe = now + Self.probeInterval
    let isConfirmed = reply.integer.map { $0 >= minReplicas } ?? false
    let batches = nodes[node].unconfirmed
    nodes[node].unconfirmed = []
    if !isConfirmed, !batches.isEmpty { figures.unconfirmed.add(1) }
    for (writer, outcomes) in batches {
      if isConfirmed {
        handleOutcomes(outcomes, of: writer)
      } else {
        writers[writer].isUnderWay = false
        if let error = reply.error { handleError(error, of: writer, from: node) }
      }
    }
  }

  private func handleOutcomes(_ text: String, of writer: Int) {
    writers[writer].isUnderWay = false
    writers[writer].sendsText = false
    writers[writer].target = nil
    let count = writers[writer].operationCount
    let isOfBucket = writers[writer].bucket != nil
    // The last word is the number of counters in the bucket.
    guard var outcomes = OperationOutcome.parse(text, count: isOfBucket ? count + 1 : count) else {
      writers[writer].error = "an unexpected reply: \(text.prefix(200))"
      figures.refused.add(1)
      return writers[writer].pause(now)
    }
    if isOfBucket { outcomes.removeLast() }
    writers[writer].noteService()
    guard let batch = writers[writer].batch.take() else { return }
    figures.recordWaits(of: batch, now, timeout: timeout)
    let answered = AnsweredBatch(batch, outcomes)
    writers[writer].error = figures.record(answered, hits: hits)
    self.answered.append(answered)
  }

  private func handleError(
    _ error: String, of writer: Int, from node: Int, isRegistration: Bool = false
  ) {
    if let redirection = Redirection(error, from: nodes[node].endpoint) {
      return follow(redirection, writer, from: node, error)
    }
    let kind = BatchError(error)
    if kind == .unknownScript { return writers[writer].sendsText = true }
    noteRefusal(of: writer)
    writers[writer].noteAnswer()
    switch kind {
    case .stale:
      writers[writer].error = error
      refuse(writer)
    case .forbidden where writers[writer].bucket != nil:
      writers[writer].error = error
      namesRefusedAt = now
      refuse(writer)
    case .forbidden where !isRegistration: writers[writer].error = error
    case .transient, .forbidden, .unknownScript: writers[writer].fault = error
    }
    writers[writer].target = nil
    writers[writer].pause(now)
    // Another connection may be authorized.
    if error.hasPrefix("NOAUTH") { nodes[node].redis.drop(.refused(error), now) }
  }

  /// Has a writer ask where a node has sent it, or again after a pause.
  private func follow(
    _ redirection: Redirection, _ writer: Int, from node: Int, _ error: String
  ) {
    writers[writer].target = nil
    writers[writer].redirections += 1
    switch redirection {
    case .moved(let endpoint):
      guard let other = index(of: endpoint) else { return writers[writer].pause(now) }
      writers[writer].node = other
      if nodes[other].isLost {
        writers[writer].redirections = 0
        return writers[writer].pause(now)
      }
    case .ask where writers[writer].wasServed && writers[writer].batch == nil:
      // The record is at the other node already, and nothing is sent there but a batch.
      writers[writer].redirections = 0
      return writers[writer].pause(now)
    case .ask(let endpoint):
      guard let other = index(of: endpoint) else { return writers[writer].pause(now) }
      writers[writer].target = other
    case .split:
      writers[writer].pause(now)
    case .notServed:
      writers[writer].pause(now)
      if let other = readyNode(after: node) { writers[writer].node = other }
    }
    guard writers[writer].redirections > Limits.redirections else { return }
    if now >= writers[writer].pausedUntil { writers[writer].pause(now) }
    // A slot that moves, or a replica that is promoted, takes a moment and is no news.
    guard writers[writer].redirections > 2 * Limits.redirections else { return }
    noteRefusal(of: writer)
    // A batch learns more at the other node: TRYAGAIN, if it is not carried out there either.
    if case .ask = redirection, writers[writer].fault != nil || writers[writer].batch != nil {
      return
    }
    writers[writer].fault = error
  }

  /// Records that a batch, or the registration before it, was answered with an error.
  private func noteRefusal(of writer: Int) {
    if writers[writer].batch != nil { figures.refused.add(1) }
  }

  /// Gives up a batch that can never be carried out.
  private func refuse(_ writer: Int) {
    guard let batch = writers[writer].batch.take() else { return }
    figures.recordWaits(of: batch, now, timeout: timeout)
    answered.append(AnsweredBatch(refused: batch))
  }
}
