import BasicContainers
import CLinux
import System
import Telemetry

/// From answers to bytes that the kernel has taken.
extension Server {
  /// Answers a request. Nothing happens when its client is gone.
  ///
  /// The bytes leave at the end of the round, with `flush`, or when it is another connection's turn.
  ///
  /// - Parameter number: what stands in the middle of the answer's text, if anything does.
  /// - Returns: whether the client is still there.
  @discardableResult
  package mutating func answer(
    _ exchange: Exchange, with response: borrowing Response, number: Int64? = nil
  ) -> Bool {
    let slot = Int(exchange.slot)
    guard connections[slot].generation == exchange.generation else { return false }
    let isLast = exchange.options.contains(.last) || isLastOfDrain(slot, exchange)
    let persistence: Response.Persistence =
      isLast ? .close : exchange.options.contains(.saysKeepAlive) ? .keepAlive : .implied
    let withBody = !exchange.options.contains(.withoutBody)

    if accessLog != nil { logAnswer(exchange, response, number) }
    figures.countAnswer(response.code)
    // Also when it has to wait for others: it says so, and nothing may be asked behind it (RFC 9112
    // section 9.6).
    if isLast { connections[slot].phase = .finishing }
    if exchange.sequence == connections[slot].answered {
      claimOutput(slot)
      response.write(to: &output, date: date, persistence, number: number, withBody: withBody)
      answered(slot)
    } else {
      var bytes = ByteBuffer()
      response.write(to: &bytes, date: date, persistence, number: number, withBody: withBody)
      connections[slot].early.append(EarlyAnswer(sequence: exchange.sequence, bytes: bytes))
    }
    return true
  }

  /// Answers a request with the number that most often follows the last one.
  ///
  /// - Returns: whether the client is still there.
  package mutating func answer(
    _ exchange: Exchange, with response: inout NumberedResponse, number: Int64
  ) -> Bool {
    let slot = Int(exchange.slot)
    // Whose connection is gone is compared first: another's counts are not its own.
    guard connections[slot].generation == exchange.generation,
      connections[slot].answered == exchange.sequence, exchange.options.isEmpty, !isDraining,
      accessLog == nil
    else {
      return answer(exchange, with: response.response, number: number)
    }
    figures.countAnswer(response.response.code)
    claimOutput(slot)
    response.write(number, to: &output, date: date)
    answered(slot)
    return true
  }

  /// While draining, the answer to the last request that was taken says goodbye.
  private func isLastOfDrain(_ slot: Int, _ exchange: Exchange) -> Bool {
    isDraining && exchange.sequence &+ 1 == connections[slot].asked
      && connections[slot].pending == nil
  }

  /// Counts an answer that stands in the output, and adds those that waited for it.
  private mutating func answered(_ slot: Int) {
    connections[slot].answered &+= 1
    while let index = nextEarly(slot) {
      let early = connections[slot].early.remove(at: index)
      output.append(early.bytes, from: 0)
      connections[slot].answered &+= 1
    }
    if output.count > Self.writeSize { flush() }
  }

  private func nextEarly(_ slot: Int) -> Int? {
    for index in 0..<connections[slot].early.count
    where connections[slot].early[index].sequence == connections[slot].answered {
      return index
    }
    return nil
  }

  /// Sends the invitation to a body that a client waits for, as soon as it stands in the right place
  /// among the answers (RFC 9110 section 10.1.1).
  mutating func sayContinueIfDue(_ slot: Int) {
    guard connections[slot].owesContinue, connections[slot].outstanding == 0 else { return }
    connections[slot].owesContinue = false
    claimOutput(slot)
    output.append("HTTP/1.1 100 Continue\r\n\r\n")
  }

  /// Makes the shared output this connection's.
  private mutating func claimOutput(_ slot: Int) {
    guard outputOwner != slot else { return }
    flush()
    outputOwner = slot
  }

  /// Hands the kernel what was answered, and does what follows from it.
  package mutating func flush() {
    while let slot = outputOwner {
      outputOwner = nil
      guard connections[slot].phase != .closed else {
        output.removeAll(keepingCapacity: true)
        continue
      }
      do {
        try sendOutput(slot)
        settle(slot)
      } catch {
        output.removeAll(keepingCapacity: true)
        close(slot)
      }
    }
  }

  private mutating func sendOutput(_ slot: Int) throws(SystemError) {
    var sent = 0
    if connections[slot].output.isEmpty {
      sent = try connections[slot].socket.send(output.span) ?? 0
      figures.sent.add(sent)
    }
    if sent < output.count {
      connections[slot].output.append(output, from: sent)
    }
    output.removeAll(keepingCapacity: true)
    connections[slot].since = now
  }

  /// Sends what an earlier `send` had to leave.
  mutating func sendMore(_ slot: Int) {
    if outputOwner == slot { flush() }
    guard connections[slot].phase != .closed, !connections[slot].output.isEmpty else { return }
    do {
      guard let sent = try connections[slot].socket.send(connections[slot].output.span) else {
        return
      }
      figures.sent.add(sent)
      if sent == connections[slot].output.count {
        connections[slot].output = ByteBuffer()
      } else {
        connections[slot].output.removeSubrange(..<sent)
      }
      connections[slot].since = now
      settle(slot)
    } catch {
      close(slot)
    }
  }

  /// Does what has become possible on a connection that got on: goes on reading, or ends it.
  mutating func settle(_ slot: Int) {
    guard !connections[slot].isAsUsual else { return }
    if connections[slot].isSettled, outputOwner != slot {
      switch connections[slot].phase {
      case .finishing: shut(slot)
      case .lingering: if connections[slot].inputEnded { close(slot) }
      case .open: sayContinueIfDue(slot)
      case .closed: break
      }
      if connections[slot].phase == .closed { return }
    }
    if connections[slot].isPaused, slot != current,
      connections[slot].outstanding <= limits.pipelined / 2,
      connections[slot].output.count <= limits.unsent / 2
    {
      resumable.append(slot)
    }
    watch(slot)
  }

  /// Ends a connection on which everything was answered. While draining it is not the client that
  /// wanted to end it, so more may be on its way.
  private mutating func shut(_ slot: Int) {
    if connections[slot].inputEnded || !(connections[slot].hasUnread || isDraining) {
      close(slot)
    } else {
      _ = shutdown(connections[slot].socket.number, CInt(SHUT_WR))
      connections[slot].phase = .lingering
      connections[slot].isPaused = false
      connections[slot].since = now
    }
  }

  /// Tells the kernel what to watch for, when that has changed.
  private mutating func watch(_ slot: Int) {
    let wanted = connections[slot].wanted
    guard wanted != connections[slot].interest else { return }
    connections[slot].interest = wanted
    do {
      try watchAnew(slot)
    } catch {
      close(slot)
    }
  }

  /// Has what there is on a connection told once more, which was told already.
  func watchAnew(_ slot: Int) throws(SystemError) {
    let token = Token(
      owner: owner.connections, slot: UInt32(slot), generation: connections[slot].generation)
    try poller.change(connections[slot].socket.number, connections[slot].interest, token)
  }

  /// Closes a connection whose client reads nothing, and has the kernel forget what it still holds
  /// for it; it would go on offering that for minutes.
  mutating func reset(_ slot: Int) {
    connections[slot].socket.resetOnClose()
    close(slot)
  }

  mutating func close(_ slot: Int) {
    if outputOwner == slot {
      outputOwner = nil
      output.removeAll(keepingCapacity: true)
    }
    connections[slot].close()
    if accessLog != nil { accessLog?.close(slot) }
    freeSlots.append(slot)
    openConnections -= 1
    figures.closed.add(1)
    if isFull { acceptance = .paused(until: now) }
  }
}
