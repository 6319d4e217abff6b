import BasicContainers
import CLinux
package import System

/// The HTTP of one event loop: a listener, its connections, and the bytes that pass through them.
///
/// The program drives it in rounds:
///
///     server.beginRound(now)
///     for event in events { server.handleEvent(event) }
///     while let request = server.nextRequest() { … server.respond(request.exchange, head, body) … }
///     server.endRound()
///
/// and waits for the next event until `deadline`. A request may be responded to at once or in a later
/// round, in any order; each client gets its responses in the order of its requests. The server itself
/// answers errors, unknown paths, methods that are not allowed, and OPTIONS.
///
/// A response can also be a stream: `beginStream` in place of `respond`, then `write` from time to time.
package struct Server: ~Copyable {
  let poller: Poller
  let limits: Limits
  let routes: RouteTable
  let owner: Owners
  private let trustedProxies: TrustedProxies
  var listener: Listener?

  /// Whether each connection is closed after the last of the requests that have arrived on it.
  private(set) var closesAfterResponses = false

  var connections = ConnectionTable()
  var ready = ReadyQueue()
  var reader = RequestReader()
  var output = SharedOutput()

  /// The tags of streams whose clients have left, until the program takes them.
  var endedStreams = UniqueArray<UInt32>()

  let observer: (any RequestObserver)?

  /// What the server has done so far.
  let figures: Figures

  var date = DateField()
  var now = Instant.now
  var nextSweep = Instant.never

  /// The moment at which the next round must begin though there is no event. It is stored: from another
  /// module the compiler copies the whole server to call a computed property.
  package private(set) var deadline = Instant.never

  /// Whether new clients are accepted.
  package internal(set) var acceptance = Acceptance.open

  /// The most bytes of responses that are collected before they are sent.
  static var writeSize: Int { 1 << 15 }

  /// The owners of the events of the server's descriptors, in the numbers of the program.
  package struct Owners: Sendable {
    let listener: UInt8
    let connections: UInt8

    /// - Precondition: the two differ.
    package init(listener: UInt8, connections: UInt8) {
      precondition(listener != connections)
      self.listener = listener
      self.connections = connections
    }
  }

  /// Whether clients are accepted or wait in the backlog.
  package enum Acceptance: Equatable {
    /// It is accepted.
    case open
    /// It waits in the backlog because of an error; the server tries again at that time.
    case paused(until: Instant, SystemError)
    /// It waits in the backlog until another client leaves.
    case full
  }

  /// Starts to accept.
  ///
  /// - Parameters:
  ///   - routes: what the program answers. The first that matches a path wins.
  ///   - trustedProxies: the proxies whose forwarding fields are believed.
  ///   - observer: is told of each request and each response.
  package init(
    _ listener: consuming Listener, routes: [Route], limits: Limits, _ poller: Poller,
    _ owner: Owners, figures: Figures = Figures(), trustedProxies: [Network] = [],
    observer: (any RequestObserver)? = nil
  ) throws(SystemError) {
    try poller.add(listener.socket.number, .read, Token(owner: owner.listener))
    self.poller = poller
    self.limits = limits
    self.routes = RouteTable(routes)
    self.owner = owner
    self.figures = figures
    self.trustedProxies = TrustedProxies(networks: trustedProxies)
    self.observer = observer
    self.listener = consume listener
  }

  /// The number of connections that are open.
  package var openConnections: Int { connections.openCount }

  /// The number of clients that wait for a response or have not read it. It looks at every connection.
  package var unsettledConnections: Int {
    var count = 0
    for slot in 0..<connections.slots.count
    where connections.slots[slot].isOpen && !connections.slots[slot].isSettled {
      count += 1
    }
    return count
  }

  /// The bytes that the ranges of the request refer to that `nextRequest` returned last. While they
  /// are in use, the compiler lets nothing change the server.
  ///
  /// It is mutating because another module would copy the whole server to call a getter that is not. That
  /// took 95 instructions.
  package var requestBytes: Span<UInt8> {
    @_lifetime(&self)
    mutating get { reader.requestBytes }
  }

  /// Where the request came from that `nextRequest` returned last: the peer, unless a trusted proxy
  /// says otherwise.
  package func clientAddress(of request: Request) -> NetworkAddress {
    clientAddress(of: request.exchange, reader.requestBytes.extracting(request.header))
  }

  func clientAddress(of exchange: Exchange, _ header: Span<UInt8>) -> NetworkAddress {
    trustedProxies.clientAddress(of: connections.slots[Int(exchange.slot)].peer, header)
  }
}

// MARK: - A round

extension Server {
  /// Begins a round.
  package mutating func beginRound(_ now: Instant) {
    self.now = now
    date.refresh(now)
  }

  /// Handles an event of the listener or of a connection. An event of another owner is ignored.
  package mutating func handleEvent(_ event: Event) {
    if event.token.owner == owner.connections {
      handleConnectionEvent(event)
    } else if event.token.owner == owner.listener {
      acceptConnections()
    }
  }

  /// Ends a round: sends responses, closes connections whose deadline has passed, and accepts again
  /// after a pause.
  package mutating func endRound() {
    // Sent first: the connections of these responses are idle only now.
    sendResponses()
    resumeAccepting()
    if now >= nextSweep {
      expireConnections()
      // A client that was too late is told so.
      sendResponses()
    }
    updateDeadline()
  }

  private mutating func updateDeadline() {
    guard ready.isEmpty else { return deadline = now }
    deadline = nextSweep
    if case .paused(let until, _) = acceptance { deadline = min(deadline, until) }
  }
}

// MARK: - Deadlines

extension Server {
  static var sweepInterval: Interval { .milliseconds(250) }

  /// Looks through all connections for those whose deadline has passed.
  private mutating func expireConnections() {
    for slot in 0..<connections.slots.count {
      guard let reason = connections.slots[slot].timeoutReason(now) else { continue }
      switch reason {
      case .header, .body: refuse(slot, .tooSlow)
      case .write: reset(slot)
      case .idle, .linger: close(slot)
      }
    }
    makeRoom()
    nextSweep = openConnections == 0 ? .never : now + Self.sweepInterval
  }
}

// MARK: - Draining

extension Server {
  /// Goes on accepting connections, and closes each with the response to the last request that has arrived
  /// on it.
  package mutating func closeAfterResponses() { closesAfterResponses = true }

  /// Accepts the connections of the backlog, and no others. A connection is closed after the requests
  /// that have arrived on it were answered. Its last response says so, unless it was written before.
  package mutating func drain() {
    for _ in 0..<SOMAXCONN where !acceptConnection() { break }
    listener = nil
    acceptance = .open
    closesAfterResponses = true
  }

  /// Closes every connection at once.
  package mutating func closeAll() {
    for slot in 0..<connections.slots.count where connections.slots[slot].isOpen { close(slot) }
  }

  /// Closes every connection on which nothing is to be answered. A connection that lingers is left
  /// alone: its client may still be reading the last response. A stream is left to the program.
  package mutating func closeIdle() {
    // A connection whose response was just written is idle as soon as it is sent.
    sendResponses()
    for slot in 0..<connections.slots.count
    where connections.slots[slot].isOpen && connections.slots[slot].isSettled
      && !connections.slots[slot].isLingering && !connections.slots[slot].isStreaming
    {
      close(slot)
    }
  }
}
