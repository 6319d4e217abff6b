import BasicContainers
import System
import Telemetry

/// From readable sockets to requests.
extension Server {
  /// Sends what the kernel has room for, and queues a connection that has something to read.
  mutating func handleConnectionEvent(_ event: Event) {
    guard connections.isCurrent(event.token) else { return }
    let slot = Int(event.token.slot)
    if event.readiness.contains(.write) {
      sendUnsent(slot)
      guard connections.isCurrent(event.token) else { return }
    }
    if connections.slots[slot].interest.contains(.read) {
      if event.readiness != .write { ready.append(event) }
    } else if !event.readiness.isDisjoint(with: [.hangUp, .error]) {
      close(slot)
    }
  }

  /// The next request of the connections that have something to read.
  ///
  /// A connection is read once a round. What it leaves unread is reported again in the next one, after
  /// the others had their turn.
  package mutating func nextRequest() -> Request? {
    while let slot = reader.slot ?? readNextConnection() {
      let request = parseNext(slot)
      if request == nil || !reader.hasUnparsed { finishReading(slot) }
      if let request { return request }
    }
    return nil
  }

  /// Fills the reader with the bytes of the next connection.
  ///
  /// - Returns: its slot, or nil when no connection has anything to read.
  private mutating func readNextConnection() -> Int? {
    while let event = ready.popFirst() {
      guard connections.isCurrent(event.token) else { continue }
      let slot = Int(event.token.slot)
      let hasBytes = event.readiness.isEmpty ? resume(slot) : receive(slot, event.readiness)
      guard hasBytes else { continue }
      reader.acquire(slot)
      return slot
    }
    return nil
  }

  /// - Returns: whether the connection has bytes to be parsed.
  private mutating func receive(_ slot: Int, _ readiness: Readiness) -> Bool {
    let kept: Int
    do {
      guard let count = try connections.receive(slot, into: &reader) else { return false }
      connections.slots[slot].inputEnded = count == 0
      figures.received.add(count)
      kept = reader.bytes.count &- count
      if count == RequestReader.readSize || (readiness.contains(.endOfInput) && count > 0) {
        try rearm(slot)
      }
    } catch {
      close(slot)
      return false
    }
    guard connections.slots[slot].takesRequests else {
      connections.slots[slot].discardInput()
      settle(slot)
      return false
    }
    guard kept > 0, reader.bytes.count <= limits.header, !connections.slots[slot].inputEnded,
      reader.hasNoLineEnd(from: kept)
    else { return true }
    // The header cannot be complete yet.
    finishReading(slot)
    return false
  }

  /// - Returns: whether the connection has bytes to be parsed.
  private mutating func resume(_ slot: Int) -> Bool {
    guard connections.slots[slot].isPaused else { return false }
    reader.load(connections.slots[slot].resume().span)
    countBuffers(of: slot)
    return true
  }

  /// Gives the reader free for the next connection.
  @inline(__always)
  private mutating func finishReading(_ slot: Int) {
    reader.release()
    if reader.hasUnparsed || !connections.slots[slot].isReadingFreely { keepRest(slot) }
  }

  /// Keeps what does not make a request yet for when more of it comes.
  private mutating func keepRest(_ slot: Int) {
    guard connections.slots[slot].isOpen else { return }
    connections.slots[slot].keepRest(
      of: reader.bytes, from: reader.parsedEnd, headerDeadline: now + limits.headerTime)
    guard countBuffers(of: slot) else { return }
    settle(slot)
  }
}

// MARK: - Parsing

extension Server {
  /// Parses until there is a request for the program.
  private mutating func parseNext(_ slot: Int) -> Request? {
    while reader.hasUnparsed {
      do throws(Refusal) {
        let parsed: UnderstoodRequest?
        switch connections.slots[slot].state {
        case .responding where hasPipelinedTooMuch(slot):
          connections.slots[slot].pause()
          return nil
        case .idle, .header, .responding: parsed = try parseHead(slot)
        case .body(let pending): parsed = try skipBody(slot, pending)
        case .paused, .finishing, .discarding, .lingering, .closed: return nil
        }
        guard let parsed else { return nil }
        if let request = admit(slot, parsed) { return request }
      } catch {
        refuse(slot, error)
      }
    }
    return nil
  }

  /// Whether the client must get more of its responses before a further request is begun.
  @inline(__always)
  private func hasPipelinedTooMuch(_ slot: Int) -> Bool {
    connections.slots[slot].outstanding >= limits.pipelined
      || connections.slots[slot].unsent.bytes.count > limits.unsent
  }

  /// - Returns: a request that is complete with its head, or whose body has come along; or nil.
  @inline(__always)
  private mutating func parseHead(_ slot: Int) throws(Refusal) -> UnderstoodRequest? {
    guard let head = try RequestParser.parse(reader.bytes, from: reader.parsedEnd, limits) else {
      return nil
    }
    if accessLog != nil { noteRequest(slot) }
    switch head.body {
    case .none:
      let request = UnderstoodRequest(head, routes.find(head.target, in: reader.bytes))
      reader.advance(head.length)
      return request
    case .length(let length): return try beginBody(slot, head, .length(length))
    case .chunked: return try beginBody(slot, head, .chunked(ChunkedBody()))
    }
  }

  /// Keeps the header, so that it is there when its body is complete, and reads what has come of the
  /// body.
  private mutating func beginBody(
    _ slot: Int, _ head: RequestHead, _ body: PendingRequest.Rest
  ) throws(Refusal) -> UnderstoodRequest? {
    let header = reader.parsedEnd..<reader.parsedEnd + head.length
    reader.advance(head.length)
    let owesContinue = head.expectsContinue && !reader.hasUnparsed
    let pending = PendingRequest(rest: body, owesContinue: owesContinue)
    connections.slots[slot].beginBody(
      pending, until: owesContinue ? .never : now + limits.bodyTime, keeping: header,
      of: reader.bytes)
    guard countBuffers(of: slot) else { return nil }
    sendContinueIfDue(slot)
    guard reader.hasUnparsed, let pending = connections.slots[slot].pendingRequest else {
      return nil
    }
    return try skipBody(slot, pending)
  }

  /// - Returns: the request that is complete now that its body is, or nil.
  private mutating func skipBody(
    _ slot: Int, _ pending: PendingRequest
  ) throws(Refusal) -> UnderstoodRequest? {
    var pending = pending
    let isComplete: Bool
    switch pending.rest {
    case .length(let missing):
      let part = min(missing, reader.bytes.count - reader.parsedEnd)
      reader.advance(part)
      isComplete = part == missing
      pending.rest = .length(missing - part)
    case .chunked(var body):
      let end = try body.consume(reader.bytes, from: reader.parsedEnd, limits)
      reader.advance(end - reader.parsedEnd)
      isComplete = body.isComplete
      pending.rest = .chunked(body)
    }
    guard isComplete else {
      connections.slots[slot].updateBody(pending)
      return nil
    }
    reader.complete(connections.slots[slot].takeKept())
    _ = connections.countBuffers(of: slot)
    guard let head = try reader.parseCompleted(limits) else {
      preconditionFailure("the header was complete before its body came")
    }
    return UnderstoodRequest(head, reader.findRoute(of: head, in: routes))
  }

  /// Gives a complete request its place in the order of responses, and answers it where the program
  /// is not needed.
  ///
  /// - Returns: the request that the program must respond to.
  private mutating func admit(_ slot: Int, _ request: UnderstoodRequest) -> Request? {
    let exchange = makeExchange(slot, request.options)
    switch (request.resource, request.method) {
    case (.route(let route), .get), (.route(let route), .head):
      return Request(route: route, exchange: exchange)
    case (.unknown, _):
      respond(exchange, Self.notFound, ConstantBody("Not Found\n"))
    case (_, .options):
      respond(exchange, Self.allowed, EmptyBody())
    case (_, _):
      respond(exchange, Self.methodNotAllowed, ConstantBody("Method Not Allowed\n"))
    }
    return nil
  }

  /// Tells a client why its request is not taken, and takes no other from it.
  mutating func refuse(_ slot: Int, _ error: Refusal) {
    if accessLog != nil, connections.slots[slot].pendingRequest == nil { noteRefused(slot) }
    let exchange = makeExchange(slot, .last)
    connections.slots[slot].discardInput()
    _ = connections.countBuffers(of: slot)
    respond(exchange, ResponseHead.text(error.status), ErrorBody(explanation: error.explanation))
  }

  @inline(__always)
  private mutating func makeExchange(_ slot: Int, _ options: Exchange.Options) -> Exchange {
    if !connections.slots[slot].kept.isEmpty {
      _ = connections.slots[slot].takeKept()
      _ = connections.countBuffers(of: slot)
    }
    let sequence = connections.slots[slot].takeRequest(isLast: options.contains(.last))
    return Exchange(
      slot: UInt32(slot), generation: connections.slots[slot].generation, sequence: sequence,
      options: options)
  }
}
