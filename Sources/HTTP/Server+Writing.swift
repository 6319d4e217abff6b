import BasicContainers
import CLinux
import System
import Telemetry

/// From responses to bytes that the kernel has taken.
extension Server {
  /// Responds to a request. Nothing happens when its client is gone.
  ///
  /// The bytes leave at the end of the round, or earlier when another connection needs the buffer.
  ///
  /// - Returns: whether the client is still there.
  @discardableResult
  package mutating func respond<Body: ResponseBody & ~Copyable>(
    _ exchange: Exchange, _ head: borrowing ResponseHead, _ body: borrowing Body
  ) -> Bool {
    guard connections.isCurrent(exchange) else { return false }
    let slot = Int(exchange.slot)
    let count = body.count
    let size = head.longest(bodyCount: count)
    let persistence = prepareResponse(slot, exchange, head.code, count)
    let hasBody = !exchange.options.contains(.withoutBody)
    if exchange.sequence == connections[slot].responseCount {
      acquireOutput(slot)
      output.bytes.append(addingCount: size) { output in
        head.write(to: &output, bodyCount: count, date: date, persistence)
        if hasBody { body.write(to: &output) }
      }
      finishResponse(slot)
    } else {
      var bytes = ByteBuffer(minimumCapacity: size)
      bytes.append(addingCount: size) { output in
        head.write(to: &output, bodyCount: count, date: date, persistence)
        if hasBody { body.write(to: &output) }
      }
      connections[slot].hold(bytes, at: exchange.sequence)
      countBuffers(of: slot)
    }
    return true
  }

  /// Decides whether a response is the connection's last, and counts it.
  @inline(__always)
  private mutating func prepareResponse(
    _ slot: Int, _ exchange: Exchange, _ code: Int, _ bodyCount: Int
  ) -> ResponseHead.Persistence {
    if accessLog != nil { logResponse(exchange, code, bodyCount: bodyCount) }
    figures.countResponse(code)
    if exchange.options.isEmpty, !isDraining { return .implied }
    if exchange.options.contains(.last) || isLastOfDrain(slot, exchange) {
      // Also when the response is held: it says that it is the last, and no request may be taken
      // behind it (RFC 9112 section 9.6).
      connections[slot].finish()
      return .close
    }
    return exchange.options.contains(.saysKeepAlive) ? .keepAlive : .implied
  }

  /// Whether a response is the last of its connection because the server drains: no further request
  /// has arrived.
  private func isLastOfDrain(_ slot: Int, _ exchange: Exchange) -> Bool {
    isDraining && exchange.sequence &+ 1 == connections[slot].requestCount
      && connections[slot].pendingRequest == nil && !connections[slot].isPaused
      && !(reader.slot == slot && reader.hasUnparsedHeader)
  }

  /// Counts a response that stands in the output, and adds those that were held for it.
  @inline(__always)
  private mutating func finishResponse(_ slot: Int) {
    connections[slot].countResponse()
    if !connections[slot].heldResponses.isEmpty { writeHeldResponses(slot) }
    if output.bytes.count > Self.writeSize { sendResponses() }
  }

  private mutating func writeHeldResponses(_ slot: Int) {
    while let bytes = connections[slot].takeHeldResponse() {
      output.bytes.append(bytes, from: 0)
      connections[slot].countResponse()
    }
    _ = connections.countBuffers(of: slot)
  }

  /// Sends the invitation to a body that a client waits for, as soon as it stands in its place among
  /// the responses (RFC 9110 section 10.1.1). The time for the body begins now.
  mutating func sendContinueIfDue(_ slot: Int) {
    guard var pending = connections[slot].pendingRequest, pending.owesContinue,
      connections[slot].outstanding == 0
    else { return }
    pending.owesContinue = false
    pending.deadline = now + limits.bodyTime
    connections[slot].updateBody(pending)
    acquireOutput(slot)
    output.bytes.append("HTTP/1.1 100 Continue\r\n\r\n")
  }
}

// MARK: - Sending

extension Server {
  /// Makes the shared output a connection's.
  @inline(__always)
  private mutating func acquireOutput(_ slot: Int) {
    guard output.owner != slot else { return }
    sendResponses()
    output.acquire(slot)
  }

  /// Hands the kernel the responses that were written, and does what follows from it.
  package mutating func sendResponses() {
    while let slot = output.owner {
      do {
        try sendOutput(slot)
      } catch {
        close(slot)
      }
    }
  }

  private mutating func sendOutput(_ slot: Int) throws(SystemError) {
    var sent = 0
    if connections[slot].unsent.bytes.isEmpty {
      sent = try connections[slot].socket.send(output.bytes.span) ?? 0
      figures.sent.add(sent)
    }
    let isComplete = sent == output.bytes.count
    if !isComplete {
      connections[slot].keepUnsent(output.bytes, from: sent, deadline: now + limits.writeTime)
    }
    output.release()
    guard isComplete || countBuffers(of: slot) else { return }
    settle(slot)
  }

  /// Sends output that an earlier `send` had to leave.
  mutating func sendUnsent(_ slot: Int) {
    if output.owner == slot { sendResponses() }
    guard connections[slot].isOpen, !connections[slot].unsent.bytes.isEmpty else { return }
    do {
      let sent = try connections[slot].sendUnsent(deadline: now + limits.writeTime)
      guard sent > 0 else { return }
      figures.sent.add(sent)
      _ = connections.countBuffers(of: slot)
      settle(slot)
    } catch {
      close(slot)
    }
  }

  /// Takes the step that has become possible after requests were parsed or responses were sent: waits
  /// for the next request, takes requests again, or ends the connection.
  mutating func settle(_ slot: Int) {
    if connections[slot].isSettled, output.owner != slot {
      switch connections[slot].state {
      case .responding: connections[slot].becomeIdle(until: now + limits.idleTime)
      case .body: sendContinueIfDue(slot)
      case .finishing(let hasUnread): finishConnection(slot, hasUnread: hasUnread)
      case .lingering: if connections[slot].inputEnded { close(slot) }
      case .closed, .idle, .header, .paused: break
      }
      guard connections[slot].isOpen else { return }
    }
    if connections[slot].isPaused, connections[slot].outstanding <= limits.pipelined / 2,
      connections[slot].unsent.bytes.count <= limits.unsent / 2
    {
      ready.append(
        Event(token: connections.token(of: slot, owner: owner.connections), readiness: []))
    }
    updateInterest(slot)
  }

  /// Ends a connection whose responses were all sent. While draining, the client did not ask for the
  /// end and may be sending more.
  private mutating func finishConnection(_ slot: Int, hasUnread: Bool) {
    if connections[slot].inputEnded || !(hasUnread || isDraining) {
      close(slot)
    } else {
      _ = shutdown(connections[slot].socket.number, CInt(SHUT_WR))
      connections[slot].linger(until: now + limits.lingerTime)
    }
  }

  /// Tells the kernel which readiness to report, when that has changed.
  @inline(__always)
  private mutating func updateInterest(_ slot: Int) {
    let wanted = connections[slot].wantedInterest
    guard wanted != connections[slot].interest else { return }
    connections[slot].interest = wanted
    do {
      try rearm(slot)
    } catch {
      close(slot)
    }
  }

  /// Has the kernel report once more what is ready, though it was reported already (EPOLL_CTL_MOD).
  func rearm(_ slot: Int) throws(SystemError) {
    try poller.change(
      connections[slot].socket.number, connections[slot].interest,
      connections.token(of: slot, owner: owner.connections))
  }
}

// MARK: - Closing

extension Server {
  /// Counts what a connection keeps, and resets it if it keeps more than before though the buffers of
  /// all clients together are used up.
  ///
  /// - Returns: whether the connection is still open.
  @discardableResult
  mutating func countBuffers(of slot: Int) -> Bool {
    guard connections.countBuffers(of: slot), connections.bufferedBytes > limits.bufferedBytes
    else { return true }
    figures.shed.add(1)
    reset(slot)
    return false
  }

  /// Closes a connection at once. The kernel forgets what it holds for the client, which it would go
  /// on offering for minutes.
  mutating func reset(_ slot: Int) {
    connections[slot].socket.resetOnClose()
    close(slot)
  }

  mutating func close(_ slot: Int) {
    if output.owner == slot { output.release() }
    if reader.slot == slot { reader.release() }
    connections.close(slot)
    if accessLog != nil { accessLog?.close(slot) }
    figures.open.add(-1)
    refillConnections()
  }
}
