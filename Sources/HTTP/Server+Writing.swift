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
    respond(exchange, head, count: body.count) { body.write(to: &$0) }
  }

  /// The same with a body that is written already. From another module the compiler specializes no generic
  /// function, so this saves 250 instructions.
  @discardableResult
  package mutating func respond(
    _ exchange: Exchange, _ head: borrowing ResponseHead, _ body: Span<UInt8>
  ) -> Bool {
    respond(exchange, head, count: body.count) { $0.append(body) }
  }

  /// The same with a head of many responses.
  @discardableResult
  package mutating func respond(
    _ exchange: Exchange, _ head: inout RepeatedHead, _ body: Span<UInt8>
  ) -> Bool {
    guard exchange.options.isEmpty, !closesAfterResponses else {
      return respond(exchange, head.head, body)
    }
    head.update(bodyCount: body.count, date: date)
    let size = head.header.count &+ body.count
    return respond(exchange, head.head.code, body.count, size: size) { output, _, _ in
      output.append(head.header.span)
      output.append(body)
    }
  }

  /// Responds without the body that the client has already (304, RFC 9110 section 15.4.5).
  ///
  /// - Parameter bodyCount: the size of the body that a response with one would have.
  @discardableResult
  package mutating func respondWithoutBody(
    _ exchange: Exchange, _ head: borrowing ResponseHead, bodyCount: Int
  ) -> Bool {
    respond(exchange.withoutBody, head, count: bodyCount) { _ in }
  }

  @inline(__always)
  private mutating func respond(
    _ exchange: Exchange, _ head: borrowing ResponseHead, count: Int,
    writeBody: (inout OutputSpan<UInt8>) -> Void
  ) -> Bool {
    let hasBody = !exchange.options.contains(.withoutBody)
    let size = head.longest(bodyCount: count)
    return respond(exchange, head.code, count, size: size) { output, date, persistence in
      head.write(to: &output, bodyCount: count, date: date, persistence)
      if hasBody { writeBody(&output) }
    }
  }

  /// - Parameter size: the room that the response needs at most.
  @discardableResult @inline(__always)
  mutating func respond(
    _ exchange: Exchange, _ code: Int, _ bodyCount: Int, size: Int,
    write: (inout OutputSpan<UInt8>, borrowing DateField, ResponseHead.Persistence) -> Void
  ) -> Bool {
    guard connections.isCurrent(exchange) else { return false }
    let slot = Int(exchange.slot)
    let persistence = prepareResponse(slot, exchange, code, bodyCount)
    let isNext = exchange.sequence == connections.slots[slot].responseCount
    if isNext { acquireOutput(slot) }
    let start = output.bytes.count
    output.bytes.append(addingCount: size) { output in write(&output, date, persistence) }
    if isNext { finishResponse(slot) } else { holdResponse(slot, exchange.sequence, from: start) }
    return true
  }

  /// Moves a response from the output to the connection, which has to write others before it.
  private mutating func holdResponse(_ slot: Int, _ sequence: UInt32, from start: Int) {
    var bytes = ByteBuffer(minimumCapacity: output.bytes.count - start)
    bytes.append(output.bytes, from: start)
    output.bytes.removeLast(bytes.count)
    connections.slots[slot].hold(bytes, at: sequence)
    countBuffers(of: slot)
  }

  /// Decides whether a response is the connection's last, and counts it.
  @inline(__always)
  private mutating func prepareResponse(
    _ slot: Int, _ exchange: Exchange, _ code: Int, _ bodyCount: Int
  ) -> ResponseHead.Persistence {
    if observer != nil { observeResponse(exchange, code, bodyCount) }
    figures.countResponse(code)
    if exchange.options.isEmpty, !closesAfterResponses { return .implied }
    if exchange.options.contains(.last) || isLastOfDrain(slot, exchange) {
      // Also when the response is held: it says that it is the last, and no request may be taken
      // behind it (RFC 9112 section 9.6).
      connections.slots[slot].finish()
      _ = connections.countBuffers(of: slot)
      return .close
    }
    return exchange.options.contains(.confirmsKeepAlive) ? .keepAlive : .implied
  }

  /// Whether a response is the last of its connection because the server drains: no further request
  /// has arrived.
  private func isLastOfDrain(_ slot: Int, _ exchange: Exchange) -> Bool {
    closesAfterResponses && exchange.sequence &+ 1 == connections.slots[slot].requestCount
      && connections.slots[slot].pendingRequest == nil && !connections.slots[slot].isPaused
      && !(reader.slot == slot && reader.hasUnparsedHeader)
  }

  /// Counts a response that stands in the output, and adds those that were held for it.
  @inline(__always)
  private mutating func finishResponse(_ slot: Int) {
    connections.slots[slot].countResponse()
    if !connections.slots[slot].heldResponses.isEmpty { writeHeldResponses(slot) }
    if output.bytes.count > Self.writeSize { sendResponses() }
  }

  private mutating func writeHeldResponses(_ slot: Int) {
    while let bytes = connections.slots[slot].takeHeldResponse() {
      output.bytes.append(bytes, from: 0)
      connections.slots[slot].countResponse()
    }
    _ = connections.countBuffers(of: slot)
  }

  /// Sends the invitation to a body that a client waits for, as soon as it stands in its place among
  /// the responses (RFC 9110 section 10.1.1). The time for the body begins now.
  mutating func sendContinueIfDue(_ slot: Int) {
    guard var pending = connections.slots[slot].pendingRequest, pending.owesContinue,
      connections.slots[slot].outstanding == 0
    else { return }
    pending.owesContinue = false
    connections.slots[slot].beginInvitedBody(pending, until: now + limits.bodyTime)
    acquireOutput(slot)
    output.bytes.append("HTTP/1.1 100 Continue\r\n\r\n")
  }
}

// MARK: - Sending

extension Server {
  /// Makes the shared output a connection's.
  @inline(__always)
  mutating func acquireOutput(_ slot: Int) {
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
    if connections.slots[slot].unsent.bytes.isEmpty {
      sent = try connections.slots[slot].socket.send(output.bytes.span) ?? 0
      figures.sent.add(sent)
    }
    if sent < output.bytes.count {
      connections.slots[slot].keepUnsent(output.bytes, from: sent, deadline: now + limits.writeTime)
      output.release()
      guard countBuffers(of: slot) else { return }
    } else {
      output.release()
      // The way of nearly all connections.
      if case .responding = connections.slots[slot].state, connections.slots[slot].outstanding == 0,
        connections.slots[slot].isReadingFreely
      {
        return connections.slots[slot].becomeIdle(until: now + limits.idleTime)
      }
    }
    settle(slot)
  }

  /// Sends output that an earlier `send` had to leave.
  mutating func sendUnsent(_ slot: Int) {
    if output.owner == slot { sendResponses() }
    guard connections.slots[slot].isOpen, !connections.slots[slot].unsent.bytes.isEmpty else {
      return
    }
    do {
      let sent = try connections.slots[slot].sendUnsent(deadline: now + limits.writeTime)
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
    if connections.slots[slot].isSettled, output.owner != slot {
      switch connections.slots[slot].state {
      case .responding: connections.slots[slot].becomeIdle(until: now + limits.idleTime)
      case .body: sendContinueIfDue(slot)
      case .finishing: finishConnection(slot, hasUnread: reader.slot == slot && reader.hasUnparsed)
      case .discarding: finishConnection(slot, hasUnread: true)
      case .streaming: if connections.slots[slot].inputEnded { close(slot) }
      case .lingering: if connections.slots[slot].inputEnded { close(slot) }
      case .closed, .idle, .header, .paused: break
      }
      guard connections.slots[slot].isOpen else { return }
    }
    if connections.slots[slot].isPaused,
      connections.slots[slot].outstanding <= limits.pipelined / 2,
      connections.slots[slot].unsent.bytes.count <= limits.unsent / 2
    {
      ready.append(
        Event(token: connections.token(of: slot, owner: owner.connections), readiness: []))
    }
    updateInterest(slot)
  }

  /// Ends a connection whose responses were all sent. While draining, the client did not ask for the
  /// end and may be sending more.
  private mutating func finishConnection(_ slot: Int, hasUnread: Bool) {
    if connections.slots[slot].inputEnded || !(hasUnread || closesAfterResponses) {
      close(slot)
    } else {
      _ = shutdown(connections.slots[slot].socket.number, CInt(SHUT_WR))
      connections.slots[slot].linger(until: now + limits.lingerTime)
    }
  }

  /// Tells the kernel which readiness to report, when that has changed.
  @inline(__always)
  private mutating func updateInterest(_ slot: Int) {
    let wanted = connections.slots[slot].wantedInterest
    guard wanted != connections.slots[slot].interest else { return }
    connections.slots[slot].interest = wanted
    do {
      try rearm(slot)
    } catch {
      close(slot)
    }
  }

  /// Has the kernel report once more what is ready, though it was reported already (EPOLL_CTL_MOD).
  func rearm(_ slot: Int) throws(SystemError) {
    try poller.change(
      connections.slots[slot].socket.number, connections.slots[slot].interest,
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
    connections.slots[slot].socket.resetOnClose()
    close(slot)
  }

  mutating func close(_ slot: Int) {
    if output.owner == slot { output.release() }
    if reader.slot == slot { reader.release() }
    if observer != nil { observeLoss(slot) }
    if case .streaming(let tag) = connections.slots[slot].state { recordEnd(ofStream: tag) }
    connections.close(slot)
    figures.open.add(-1)
    refillConnections()
  }
}
