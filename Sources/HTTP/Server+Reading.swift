import BasicContainers
package import System
import Telemetry

/// From readable sockets to requests.
extension Server {
  /// Does what an event on a connection calls for. Take the requests that came with it before the
  /// next event.
  package mutating func ready(_ event: Event) {
    let slot = Int(event.token.slot)
    guard isOpen(slot, event.token) else { return }
    if event.readiness.contains(.write) {
      sendMore(slot)
      guard isOpen(slot, event.token) else { return }
    }
    if connections[slot].interest.contains(.read) {
      if event.readiness != .write { receive(slot, event.readiness) }
    } else if !event.readiness.isDisjoint(with: [.hangUp, .error]) {
      close(slot)
    }
  }

  private func isOpen(_ slot: Int, _ token: Token) -> Bool {
    connections[slot].phase != .closed
      && connections[slot].generation & 0xFF_FFFF == token.generation
  }

  /// Reads once. What may be left unread is reported again in the next round, after the others had
  /// their turn.
  private mutating func receive(_ slot: Int, _ readiness: Readiness) {
    let kept = connections[slot].input.count
    understood = 0
    connections[slot].copyInput(to: &input)
    do {
      guard let count = try connections[slot].receive(into: &input) else { return }
      connections[slot].inputEnded = count == 0
      figures.received.add(count)
      if count == Self.readSize || (readiness.contains(.endOfInput) && count > 0) {
        try watchAnew(slot)
      }
    } catch {
      close(slot)
      return
    }
    guard connections[slot].phase == .open else {
      connections[slot].hasUnread = true
      settle(slot)
      return
    }
    if kept > 0, cannotEndHead(from: kept, slot) {
      keepRest(slot)
    } else {
      current = slot
    }
  }

  /// Whether the bytes from `start` on cannot have completed a head, so that a client that sends it
  /// byte by byte does not have it parsed from the start each time.
  private func cannotEndHead(from start: Int, _ slot: Int) -> Bool {
    guard connections[slot].pending == nil, input.count <= limits.header,
      !connections[slot].inputEnded
    else { return false }
    for index in start..<input.count where input[index] == .lineFeed { return false }
    return true
  }

  /// The next request of the connection that was just read, or of one that goes on after a pause.
  package mutating func nextRequest() -> Request? {
    while let slot = current ?? nextResumed() {
      let request = parseNext(slot)
      if request == nil || understood == input.count {
        current = nil
        if connections[slot].phase != .closed { keepRest(slot) }
      }
      if let request { return request }
    }
    return nil
  }

  /// Parses until there is a request for the program.
  private mutating func parseNext(_ slot: Int) -> Request? {
    while connections[slot].phase == .open {
      if mustPause(slot) {
        connections[slot].isPaused = true
        return nil
      }
      do throws(Refusal) {
        let parsed = connections[slot].pending == nil ? try parseHead(slot) : try skipBody(slot)
        guard let parsed else { return nil }
        if let request = admit(slot, parsed) { return request }
      } catch {
        refuse(slot, error)
      }
    }
    return nil
  }

  private func mustPause(_ slot: Int) -> Bool {
    connections[slot].outstanding >= limits.pipelined
      || connections[slot].output.count > limits.unsent
  }

  /// - Returns: a request that is complete with its head, or whose body has come along; or nil.
  @inline(__always)
  private mutating func parseHead(_ slot: Int) throws(Refusal) -> UnderstoodRequest? {
    guard understood < input.count else { return nil }
    guard let head = try RequestParser.parse(input, from: understood, limits) else { return nil }
    if accessLog != nil { noteRequest(slot) }
    let request = UnderstoodRequest(head, routes.find(head.target, in: input))
    understood &+= head.length
    switch head.body {
    case .none: return request
    case .length(let length): return try beginBody(slot, request, head, .length(length))
    case .chunked: return try beginBody(slot, request, head, .chunked(ChunkedBody()))
    }
  }

  private mutating func beginBody(
    _ slot: Int, _ request: UnderstoodRequest, _ head: RequestHead, _ body: PendingRequest.Rest
  ) throws(Refusal) -> UnderstoodRequest? {
    connections[slot].pending = PendingRequest(request: request, rest: body)
    connections[slot].since = now
    connections[slot].owesContinue = head.expectsContinue && understood == input.count
    sayContinueIfDue(slot)
    return try skipBody(slot)
  }

  /// - Returns: the request that is complete now that its body is, or nil.
  private mutating func skipBody(_ slot: Int) throws(Refusal) -> UnderstoodRequest? {
    guard let pending = connections[slot].pending else { return nil }
    let isComplete: Bool
    switch pending.rest {
    case .length(let left):
      let part = min(left, input.count - understood)
      understood += part
      isComplete = part == left
      connections[slot].pending?.rest = .length(left - part)
    case .chunked(var body):
      understood = try body.consume(input, from: understood, limits)
      isComplete = body.isComplete
      connections[slot].pending?.rest = .chunked(body)
    }
    guard isComplete else { return nil }
    connections[slot].pending = nil
    return pending.request
  }

  /// Gives a complete request its place in the order of answers, and answers what needs no program.
  ///
  /// - Returns: what the program must answer.
  private mutating func admit(_ slot: Int, _ request: UnderstoodRequest) -> Request? {
    let exchange = take(slot, request.options)
    switch (request.resource, request.method) {
    case (.route(let route), .get), (.route(let route), .head):
      return Request(route: route, exchange: exchange)
    case (.unknown, _):
      answer(exchange, with: Self.notFound)
    case (_, .options):
      answer(exchange, with: Self.allowed)
    case (_, _):
      answer(exchange, with: Self.methodNotAllowed)
    }
    return nil
  }

  /// Tells a client why its request is not taken, and takes no other from it.
  mutating func refuse(_ slot: Int, _ refusal: Refusal) {
    if accessLog != nil, connections[slot].pending == nil { noteRefused(slot) }
    connections[slot].pending = nil
    connections[slot].owesContinue = false
    connections[slot].hasUnread = true
    let exchange = take(slot, .last)
    answer(
      exchange,
      with: Response(
        refusal.status, [("Content-Type", "text/plain; charset=utf-8")],
        body: refusal.explanation, afterNumber: "\n"))
  }

  private mutating func take(_ slot: Int, _ options: Exchange.Options) -> Exchange {
    let exchange = Exchange(
      slot: UInt32(slot), generation: connections[slot].generation,
      sequence: connections[slot].asked, options: options)
    connections[slot].asked &+= 1
    if options.contains(.last) { connections[slot].phase = .finishing }
    return exchange
  }

  /// Puts by what could not be understood yet, for when more of it comes.
  private mutating func keepRest(_ slot: Int) {
    connections[slot].keepRest(of: input, from: understood, now)
    settle(slot)
  }

  private mutating func nextResumed() -> Int? {
    guard !resumable.isEmpty else { return nil }
    while let slot = resumable.popLast() {
      guard connections[slot].phase == .open, connections[slot].isPaused else { continue }
      connections[slot].isPaused = false
      understood = 0
      connections[slot].copyInput(to: &input)
      current = slot
      return slot
    }
    return nil
  }
}
