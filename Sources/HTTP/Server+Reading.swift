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
      if let request = parseNext(slot) { return request }
      finishReading(slot)
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
  @inline(__always)
  private mutating func receive(_ slot: Int, _ readiness: Readiness) -> Bool {
    let kept: Int
    do {
      guard let count = try connections.receive(slot, into: &reader) else { return false }
      connections.slots[slot].inputEnded = count == 0
      connections.slots[slot].hasUnread = count == RequestReader.readSize
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
    // The header cannot be complete yet. A malformed one is noticed with its next line end, or when its
    // time is over.
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
  @inline(never)
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
  @inline(__always)
  private mutating func parseNext(_ slot: Int) -> Request? {
    while reader.hasUnparsed {
      do throws(RequestError) {
        switch connections.slots[slot].state {
        case .responding where hasPipelinedTooMuch(slot):
          connections.slots[slot].pause()
          return nil
        case .idle, .header, .responding:
          guard let head = try parseHead(slot) else { return nil }
          if head.body == .none {
            reader.advance(head.length)
            if let request = admit(slot, head, body: 0..<0) { return request }
          } else {
            try beginBody(slot, head)
          }
        case .body(let pending):
          guard try readBody(slot, pending) else { return nil }
          if let request = try completeBody(slot) { return request }
        case .paused, .finishing, .discarding, .streaming, .lingering, .closed: return nil
        }
      } catch {
        refuse(slot, error)
      }
    }
    return nil
  }

  /// Parses the header of a request, if all of it is there.
  @inline(never)
  private mutating func parseHead(_ slot: Int) throws(RequestError) -> RequestHead? {
    guard !connections.slots[slot].kept.isEmpty || !reader.skipEmptyLine() else { return nil }
    return try RequestParser.parse(reader.bytes, from: reader.parsedEnd, limits)
  }

  /// Whether the client must get more of its responses before a further request is begun.
  @inline(__always)
  private func hasPipelinedTooMuch(_ slot: Int) -> Bool {
    connections.slots[slot].outstanding >= limits.pipelined
      || connections.slots[slot].unsent.bytes.count > limits.unsent
  }

  /// Begins to read a body. The header is kept until the body is complete.
  @inline(never)
  private mutating func beginBody(_ slot: Int, _ head: RequestHead) throws(RequestError) {
    let match = match(head, in: reader.bytes.span)
    let bodyLimit = match.flatMap { match in
      routes.methods(of: match.route).contains(head.method)
        ? routes.bodyLimit(of: match.route) : nil
    }
    let rest: PendingRequest.Rest
    if case .length(let length) = head.body {
      rest = .length(length)
      if let bodyLimit, length > bodyLimit { throw .bodyTooLong }
    } else {
      rest = .chunked(ChunkedBody())
    }
    reader.advance(head.length)
    let owesContinue = head.expectsContinue && !reader.hasUnparsed
    connections.slots[slot].beginBody(
      PendingRequest(rest: rest, bodyLimit: bodyLimit, owesContinue: owesContinue),
      until: owesContinue ? .never : now + limits.bodyTime,
      keeping: reader.headerRange(head.length), of: reader.bytes)
    if countBuffers(of: slot) { sendContinueIfDue(slot) }
  }

  /// Reads what has come of a body.
  ///
  /// - Returns: whether it is complete.
  @inline(never)
  private mutating func readBody(
    _ slot: Int, _ pending: PendingRequest
  ) throws(RequestError) -> Bool {
    var pending = pending
    let start = reader.parsedEnd
    var data = ByteBuffer()
    let isComplete: Bool
    switch pending.rest {
    case .length(let missing):
      let part = min(missing, reader.bytes.count - start)
      if pending.bodyLimit != nil {
        data.append(copying: reader.bytes.span.extracting(start..<start + part))
      }
      reader.advance(part)
      isComplete = part == missing
      pending.rest = .length(missing - part)
    case .chunked(var body):
      let end = try body.consume(reader.bytes, from: start, limits) { range in
        guard pending.bodyLimit != nil else { return }
        data.append(copying: reader.bytes.span.extracting(range))
      }
      reader.advance(end - start)
      isComplete = body.isComplete
      pending.rest = .chunked(body)
    }
    if let bodyLimit = pending.bodyLimit {
      guard pending.bodyCount + data.count <= bodyLimit else { throw .bodyTooLong }
      pending.bodyCount += data.count
    }
    connections.slots[slot].updateBody(pending, adding: data)
    return countBuffers(of: slot) && isComplete
  }

  /// Admits a request whose body is complete.
  @inline(never)
  private mutating func completeBody(_ slot: Int) throws(RequestError) -> Request? {
    reader.complete(connections.slots[slot].takeKept())
    _ = connections.countBuffers(of: slot)
    guard let head = try reader.parseCompleted(limits) else {
      preconditionFailure("the header was complete before its body came")
    }
    return admit(slot, head, body: head.length..<reader.requestBytes.count)
  }

  @inline(__always)
  private func match(_ head: RequestHead, in bytes: Span<UInt8>) -> RouteMatch? {
    guard case .path(let path, _) = head.target else { return nil }
    return routes.match(path, in: bytes)
  }

  /// Gives a complete request its place in the order of responses, and answers it where the program
  /// is not needed. Behind the last request of the bytes that were read, the reader is free for the next
  /// connection.
  ///
  /// - Returns: the request that the program must respond to.
  @inline(__always)
  private mutating func admit(_ slot: Int, _ head: RequestHead, body: Range<Int>) -> Request? {
    let exchange = makeExchange(slot, Exchange.Options(head))
    let header = reader.headerRange(head.length)
    if observer != nil { observeRequest(exchange, reader.requestBytes.extracting(header)) }
    let match = match(head, in: reader.requestBytes)
    guard let match, case .path(_, let query) = head.target,
      routes.methods(of: match.route).contains(head.method)
    else {
      respondWithoutProgram(exchange, head, match)
      return nil
    }
    if !reader.hasUnparsed { finishReading(slot) }
    return Request(
      exchange: exchange, route: match.route, method: head.method,
      hasPlainPath: head.hasPlainPath, hasSeveralAccepts: head.hasSeveralAccepts,
      parameters: match.parameters, query: query, header: header, accept: head.accept, body: body)
  }

  /// Responds to OPTIONS, and to requests that no route is there for.
  @inline(never)
  private mutating func respondWithoutProgram(
    _ exchange: Exchange, _ head: RequestHead, _ match: RouteMatch?
  ) {
    guard match != nil || head.target == .server else {
      respond(
        exchange, ResponseHead.problem(.notFound),
        ProblemBody(.notFound, "Nothing is served under this path."))
      return
    }
    let methods = match.map { routes.methods(of: $0.route) } ?? routes.methods
    if head.method == .options {
      respond(exchange, ResponseHead(.ok, Self.optionsFields(methods.allow)), ConstantBody(""))
    } else {
      respond(
        exchange, ResponseHead.problem(.methodNotAllowed, [("Allow", methods.allow)]),
        ProblemBody(.methodNotAllowed, "The path does not take this method."))
    }
  }

  /// What a browser asks before a page of another origin may send a request with these methods and
  /// fields (https://fetch.spec.whatwg.org/#http-cors-protocol).
  private static func optionsFields(_ methods: String) -> [ResponseHead.Field] {
    [
      ("Allow", methods), ResponseHead.anyOrigin, ("Access-Control-Allow-Methods", methods),
      (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID"
      ),
      ("Access-Control-Max-Age", "86400"),
    ]
  }

  /// Tells a client why its request is not taken, and takes no other from it.
  @inline(never)
  mutating func refuse(_ slot: Int, _ error: RequestError) {
    let exchange: Exchange
    if observer != nil {
      let header = takeRefusedHeader(slot)
      exchange = makeExchange(slot, .last)
      observeRequest(exchange, header.span)
    } else {
      exchange = makeExchange(slot, .last)
    }
    connections.slots[slot].discardInput()
    _ = connections.countBuffers(of: slot)
    respond(
      exchange, ResponseHead.problem(error.status), ProblemBody(error.status, error.explanation))
  }

  /// Drops what was kept of a request that is complete, or refused.
  @inline(never)
  private mutating func dropKept(_ slot: Int) {
    _ = connections.slots[slot].takeKept()
    _ = connections.countBuffers(of: slot)
  }

  @inline(__always)
  private mutating func makeExchange(_ slot: Int, _ options: Exchange.Options) -> Exchange {
    if !connections.slots[slot].kept.isEmpty { dropKept(slot) }
    let sequence = connections.slots[slot].takeRequest(isLast: options.contains(.last))
    return Exchange(
      slot: UInt32(slot), generation: connections.slots[slot].generation, sequence: sequence,
      options: options)
  }
}
