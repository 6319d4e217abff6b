import BasicContainers
import System

/// One client's connection: its socket, the state of its requests, and its responses on their way.
///
///     idle ──first byte──▶ header ──complete──▶ responding ──all sent──▶ idle
///                            └─with a body─▶ body ──complete──▶ responding
///     responding ──too much is pipelined──▶ paused ──half of it was sent──▶ responding
///     each of these ──last request, error, end of input──▶ finishing ──all sent──▶ lingering, closed
///     responding ──a stream begins──▶ streaming ──the program ends it──▶ discarding
///                                      └─end of input─▶ closed
///
/// Requests that come whole and responses that the client reads pass through buffers that all
/// connections share. A connection has buffers of its own only for a request that is not complete,
/// for output that the client does not read, and for responses that wait for an earlier one.
struct ClientConnection: ~Copyable {
  /// What the connection waits for.
  enum State: BitwiseCopyable {
    /// The slot is free.
    case closed
    /// The first byte of a request. All earlier requests were answered.
    case idle
    /// The rest of a header, whose first bytes are kept.
    case header
    /// The rest of a body. The header is kept, and the body if the route asks for it.
    case body(PendingRequest)
    /// Responses to requests; nothing of a further request has come.
    case responding
    /// The client must read responses, or get more of them, first: it has pipelined too much, and its
    /// further requests are kept unparsed.
    case paused
    /// The last responses. No further request is taken.
    case finishing
    /// The last responses. The client has sent, or may have sent, bytes behind the last request; they are
    /// discarded.
    case discarding
    /// Pieces of a response without an end, which the program writes from time to time. It is the last
    /// response; bytes that the client sends are discarded. The tag is the program's name for it.
    case streaming(tag: UInt32)
    /// The client's close. All responses were sent; a close now would destroy them on their way if
    /// the client sent anything more (RFC 9112 section 9.6).
    case lingering
  }

  private(set) var socket = Descriptor.none
  private(set) var state = State.closed

  /// The moment until which the client has to do what the state waits for; never, where it waits for
  /// the server. It is set when the state is entered, and no byte that the client sends moves it.
  private var stateDeadline = Instant.never

  /// The address of the other end.
  private(set) var peer = NetworkAddress(bits: 0)

  /// The use of the slot, by which events and responses for an earlier client are recognized.
  private(set) var generation: UInt32 = 0

  /// The requests that were taken and the responses that were written, modulo 2^32.
  private(set) var requestCount: UInt32 = 0
  private(set) var responseCount: UInt32 = 0

  /// The readiness that the kernel reports at present.
  var interest = openInterest

  /// The client has sent its last byte. This is a fact of the socket in every state: a half-closed
  /// connection still owes responses.
  var inputEnded = false

  /// The last read has filled the reader: the client may have sent more.
  var hasUnread = false

  /// The bytes of requests that were not taken yet: a part of a header in `header`, the header and
  /// what the route asks for in `body`, whole requests in `paused`; otherwise empty.
  private(set) var kept = ByteBuffer()

  /// Output that the kernel did not take.
  private(set) var unsent = UnsentOutput()

  /// Responses that were ready before an earlier one.
  private(set) var heldResponses = HeldResponses()

  /// The part of `bufferedBytes` that the table has counted.
  var countedBytes = 0

  /// Edge-triggered, the kernel does not look at every connection twice: once to report it, and once
  /// more to find that nothing is left.
  private static var anyInterest: Readiness { [.edgeTriggered, .endOfInput] }
  static var openInterest: Readiness { [.read, .edgeTriggered, .endOfInput] }

  // MARK: Facts

  /// The number of requests that have no response yet.
  var outstanding: Int { Int(requestCount &- responseCount) }

  /// Whether all requests were answered and the kernel has taken all responses.
  var isSettled: Bool { requestCount == responseCount && unsent.bytes.isEmpty }

  var isOpen: Bool { if case .closed = state { false } else { true } }
  var isPaused: Bool { if case .paused = state { true } else { false } }
  var isLingering: Bool { if case .lingering = state { true } else { false } }
  var isStreaming: Bool { if case .streaming = state { true } else { false } }
  var isReadingHeader: Bool { if case .header = state { true } else { false } }

  /// The request whose body is being read.
  var pendingRequest: PendingRequest? {
    if case .body(let pending) = state { pending } else { nil }
  }

  /// Whether bytes that the client sends may become a request.
  var takesRequests: Bool {
    switch state {
    case .idle, .header, .body, .responding, .paused: true
    case .closed, .finishing, .discarding, .streaming, .lingering: false
    }
  }

  /// Whether nothing keeps the server from reading the connection.
  var isReadingFreely: Bool { interest == Self.openInterest && !inputEnded }

  /// The bytes that are kept of a header that is not complete.
  var keptHeader: Span<UInt8> {
    @_lifetime(borrow self)
    get { isReadingHeader ? kept.span : Span() }
  }

  /// The readiness that the state calls for.
  var wantedInterest: Readiness {
    var wanted = Self.anyInterest
    if !isPaused && !inputEnded { wanted.insert(.read) }
    if !unsent.bytes.isEmpty { wanted.insert(.write) }
    return wanted
  }

  /// The storage of all buffers that are kept for the client.
  var bufferedBytes: Int { kept.capacity + unsent.bytes.capacity + heldResponses.size }

  // MARK: Deadlines

  /// The moment at which the client is too late. A client may owe two things, the rest of a request
  /// and the reading of responses; neither gives it more time for the other.
  var deadline: Instant { min(stateDeadline, unsent.deadline) }

  /// When the connection began to wait for a request; nil when it does not.
  func idleStart(_ limits: Limits) -> Instant? {
    guard case .idle = state else { return nil }
    return stateDeadline + (requestCount == 0 ? limits.headerTime : limits.idleTime) * -1
  }

  /// What the client was too late for, when the deadline has passed.
  func timeoutReason(_ now: Instant) -> TimeoutReason? {
    guard deadline <= now else { return nil }
    guard unsent.deadline > now else { return .write }
    return switch state {
    case .header: .header
    case .body: .body
    case .lingering: .linger
    case .idle: .idle
    case .closed, .responding, .paused, .finishing, .discarding, .streaming:
      preconditionFailure("the client has nothing to do in this state")
    }
  }
}

/// What a client took too long for.
enum TimeoutReason {
  case header, body, write, idle, linger
}

// MARK: - Transitions

extension ClientConnection {
  @inline(__always)
  private mutating func enter(_ state: State, until deadline: Instant = .never) {
    self.state = state
    stateDeadline = deadline
  }

  /// Takes the slot for a new client.
  mutating func open(_ accepted: consuming Listener.Accepted, until: Instant) {
    peer = accepted.peer
    socket = accepted.socket
    enter(.idle, until: until)
    interest = Self.openInterest
    requestCount = 0
    responseCount = 0
    inputEnded = false
    hasUnread = false
  }

  /// Frees the slot and closes the socket.
  mutating func close() {
    socket = .none
    enter(.closed)
    generation &+= 1
    kept = ByteBuffer()
    unsent = UnsentOutput()
    heldResponses = HeldResponses()
  }

  /// Gives a complete request its place among the requests of the connection.
  ///
  /// - Parameter isLast: no further request is taken after it.
  /// - Returns: the place.
  @inline(__always)
  mutating func takeRequest(isLast: Bool) -> UInt32 {
    enter(isLast ? (hasUnread ? .discarding : .finishing) : .responding)
    defer { requestCount &+= 1 }
    return requestCount
  }

  /// Begins to read a body.
  ///
  /// - Parameters:
  ///   - deadline: never, as long as the client waits for an invitation.
  ///   - header: the part of `bytes` that is kept until the request is complete.
  mutating func beginBody(
    _ pending: PendingRequest, until deadline: Instant, keeping header: Range<Int>,
    of bytes: borrowing ByteBuffer
  ) {
    kept = ByteBuffer(minimumCapacity: header.count)
    kept.append(copying: bytes.span.extracting(header))
    enter(.body(pending), until: deadline)
  }

  /// Notes how much of a body is still missing, and keeps what has come of it.
  mutating func updateBody(_ pending: PendingRequest, adding data: borrowing ByteBuffer) {
    state = .body(pending)
    if !data.isEmpty { kept.appendTightly(data, from: 0) }
  }

  /// Notes that the client was invited to send a body, so that it waits no longer.
  mutating func beginInvitedBody(_ pending: PendingRequest, until deadline: Instant) {
    enter(.body(pending), until: deadline)
  }

  /// Keeps bytes that do not make a request yet. The deadline of a header is set when it begins, and
  /// no further byte moves it.
  ///
  /// - Parameter start: the index of the first byte that was not parsed.
  mutating func keepRest(
    of bytes: borrowing ByteBuffer, from start: Int, headerDeadline: Instant
  ) {
    switch state {
    case .idle, .responding:
      if start < bytes.count {
        kept.appendTightly(bytes, from: start)
        enter(.header, until: headerDeadline)
      }
    case .header: kept.appendTightly(bytes, from: start + kept.count)
    case .paused: kept.appendTightly(bytes, from: start)
    case .finishing: if start < bytes.count { enter(.discarding) }
    case .body, .discarding, .streaming, .closed, .lingering: break
    }
    // The part of a request that came can never become a whole one.
    if inputEnded, takesRequests, !isPaused { finish() }
  }

  /// Stops taking requests until the client has got more of its responses.
  mutating func pause() { enter(.paused) }

  /// Takes requests again.
  ///
  /// - Returns: the bytes that were kept meanwhile.
  mutating func resume() -> ByteBuffer {
    enter(.responding)
    return takeKept()
  }

  /// Hands over the bytes that are kept.
  mutating func takeKept() -> ByteBuffer {
    var bytes = ByteBuffer()
    swap(&bytes, &kept)
    return bytes
  }

  /// Takes no further request.
  mutating func finish() {
    guard takesRequests else { return }
    enter(isPaused || hasUnread ? .discarding : .finishing)
    kept = ByteBuffer()
  }

  /// Notes that bytes came behind the last request.
  mutating func discardInput() {
    if case .finishing = state { enter(.discarding) }
  }

  /// Begins a response without an end. No further request is taken.
  mutating func beginStream(_ tag: UInt32) {
    enter(.streaming(tag: tag))
    kept = ByteBuffer()
  }

  /// Ends it with what was written. The client may be sending, since its bytes were discarded so far.
  mutating func endStream() {
    if isStreaming { enter(.discarding) }
  }

  /// Waits for the next request.
  @inline(__always)
  mutating func becomeIdle(until: Instant) { enter(.idle, until: until) }

  /// Waits for the client's close.
  mutating func linger(until: Instant) { enter(.lingering, until: until) }
}

// MARK: - Responses

extension ClientConnection {
  /// Counts a response that was written in its place.
  @inline(__always)
  mutating func countResponse() { responseCount &+= 1 }

  /// Keeps a response until those before it are written.
  mutating func hold(_ bytes: consuming ByteBuffer, at sequence: UInt32) {
    heldResponses.append(bytes, sequence)
  }

  /// - Returns: the response that comes next in order, if it is held.
  mutating func takeHeldResponse() -> ByteBuffer? {
    guard !heldResponses.isEmpty else { return nil }
    return heldResponses.take(responseCount)
  }

  /// Keeps output that the kernel did not take.
  ///
  /// - Parameter start: the number of bytes that it did take.
  mutating func keepUnsent(
    _ bytes: borrowing ByteBuffer, from start: Int, deadline: Instant
  ) {
    unsent.append(bytes, from: start, deadline: deadline)
  }

  /// Sends output that an earlier `send` had to leave.
  ///
  /// - Parameter deadline: the new deadline if the client has made room by reading.
  /// - Returns: the number of bytes that were sent.
  mutating func sendUnsent(deadline: Instant) throws(SystemError) -> Int {
    guard let sent = try socket.send(unsent.bytes.span), sent > 0 else { return 0 }
    unsent.removeFirst(sent, deadline: deadline)
    return sent
  }
}
