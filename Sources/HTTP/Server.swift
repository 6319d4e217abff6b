import BasicContainers
import CLinux
package import System
import Telemetry

/// One loop's HTTP: its listener, its connections, and the bytes that pass through them.
///
/// The program drives it. After an event it takes the requests that came with `nextRequest`, and
/// answers each with `answer`, at once or in a later round, in any order; clients get the answers in
/// the order they asked. What every server answers by itself never gets to the program: refusals,
/// unknown paths, other methods, OPTIONS.
package struct Server: ~Copyable {
  let poller: Poller
  let limits: Limits
  let routes: Routes
  let owner: Owners
  var listener: Listener?
  var isDraining = false

  var connections = UniqueArray<Connection>()
  var freeSlots = UniqueArray<Int>()
  var resumable = UniqueArray<Int>()

  /// Where requests are told of, if anywhere.
  var accessLog: AccessLog?

  /// What it has done so far.
  let figures: Figures

  /// How many connections are open.
  package internal(set) var openConnections = 0

  /// How many clients wait for an answer, or for the rest of one. It looks at every connection.
  package var unsettledConnections: Int {
    var count = 0
    for slot in 0..<connections.count
    where connections[slot].phase != .closed && !connections[slot].isSettled {
      count += 1
    }
    return count
  }

  /// The bytes that the current connection sent, and how many of them were understood.
  var input = ByteBuffer()
  var understood = 0
  var current: Int?

  /// Answers of one connection that have not been handed to the kernel yet.
  var output = ByteBuffer()
  var outputOwner: Int?

  var date = DateField()
  var now = Instant.now
  var nextSweep = Instant.never
  var acceptance = Acceptance.open

  static let notFound = Response.text(.notFound, "Not Found\n")
  static let methodNotAllowed = Response.text(
    .methodNotAllowed, "Method Not Allowed\n", [("Allow", "GET, HEAD, OPTIONS")])
  static let allowed = Response(.ok, [("Allow", "GET, HEAD, OPTIONS")])

  /// How much of a connection is read in a round: a few hundred of the shortest requests, so that a
  /// client that sends thousands at once lets the others have their turn.
  static var readSize: Int { 1 << 13 }

  /// How much of a connection's answers is handed to the kernel at a time.
  static var writeSize: Int { 1 << 15 }

  static var sweepInterval: Interval { .milliseconds(250) }
  static var acceptPause: Interval { .milliseconds(100) }

  /// Whose events its descriptors are, in the numbers of the program.
  package struct Owners: Sendable {
    let listener: UInt8
    let connections: UInt8

    /// Two different numbers.
    package init(listener: UInt8, connections: UInt8) {
      self.listener = listener
      self.connections = connections
    }
  }

  /// Starts to accept.
  ///
  /// - Parameter routes: the paths that the program answers, each with its leading slash and
  ///   without percent-encoding.
  package init(
    _ listener: consuming Listener, routes: [StaticString], limits: Limits, _ poller: Poller,
    _ owner: Owners, figures: Figures = Figures(), accessLog: consuming AccessLog? = nil
  ) throws(SystemError) {
    try poller.add(listener.socket.number, .read, Token(owner: owner.listener))
    self.poller = poller
    self.limits = limits
    self.routes = Routes(routes)
    self.owner = owner
    self.figures = figures
    self.accessLog = accessLog
    self.listener = consume listener
    input.reserveCapacity(Self.readSize)
  }

  /// Tells the time of the round that begins.
  package mutating func beginRound(_ now: Instant) {
    self.now = now
    date.refresh(now)
    accessLog?.beginRound(now)
  }

  /// Hands on the lines of the access log. Call it at the end of every round.
  package mutating func endRound() {
    accessLog?.flush()
  }

  /// When it wants to be called again though no event comes.
  package var deadline: Instant {
    guard case .paused(let until) = acceptance else { return nextSweep }
    return min(nextSweep, until)
  }

  /// Whether as many connections are open as may be: the next ones wait in the backlog.
  package var isFull: Bool {
    if case .full = acceptance { true } else { false }
  }

  /// What becomes of a client that connects.
  enum Acceptance {
    /// It is accepted.
    case open
    /// It waits in the backlog, for there was no descriptor the last time.
    case paused(until: Instant)
    /// It waits in the backlog until another leaves.
    case full
  }
}

// MARK: - Accepting

extension Server {
  /// Accepts the connections that wait, up to a number, so that those that are open get their turn.
  ///
  /// - Throws: what keeps it from accepting any; it tries again by itself after a moment.
  package mutating func accept() throws(SystemError) {
    guard hasRoom else { return stopAccepting(.full) }
    for _ in 0..<64 where try !acceptOne() { return }
  }

  private var hasRoom: Bool { openConnections < limits.connections }

  /// - Returns: whether there was one, and room for it.
  private mutating func acceptOne() throws(SystemError) -> Bool {
    guard hasRoom else { return false }
    do throws(SystemError) {
      guard let socket = try listener?.accept() else { return false }
      try open(socket)
      return true
    } catch {
      stopAccepting(.paused(until: now + Self.acceptPause))
      throw error
    }
  }

  private mutating func open(_ socket: consuming Descriptor) throws(SystemError) {
    let slot = freeSlots.popLast() ?? connections.count
    if slot == connections.count { connections.append(Connection()) }
    let generation = connections[slot].generation
    let token = Token(
      owner: owner.connections, slot: UInt32(slot), generation: generation)
    do {
      try poller.add(socket.number, Connection.usualInterest, token)
    } catch {
      freeSlots.append(slot)
      throw error
    }
    if accessLog != nil { logOpen(slot, socket) }
    connections[slot].open(socket, now)
    openConnections += 1
    figures.accepted.add(1)
    if nextSweep == .never { nextSweep = now + Self.sweepInterval }
  }

  /// Leaves new connections in the backlog; without it, a listener that cannot accept would be
  /// reported ready over and over.
  private mutating func stopAccepting(_ acceptance: Acceptance) {
    guard case .open = self.acceptance, let number = listener?.socket.number else { return }
    poller.remove(number)
    self.acceptance = acceptance
  }

  private mutating func resumeAccepting() {
    guard case .paused(let until) = acceptance, until <= now,
      let number = listener?.socket.number
    else { return }
    do {
      try poller.add(number, .read, Token(owner: owner.listener))
      acceptance = .open
    } catch {
      acceptance = .paused(until: now + Self.acceptPause)
    }
  }

  /// Accepts what has connected already, and nothing more. The next answer on each connection is
  /// its last.
  package mutating func drain() {
    for _ in 0..<SOMAXCONN where (try? acceptOne()) != true { break }
    listener = nil
    acceptance = .open
    isDraining = true
  }

  /// Closes every connection that has nothing to be answered.
  package mutating func closeIdle() {
    // Who was just answered has nothing to wait for but the bytes.
    flush()
    for slot in 0..<connections.count
    where connections[slot].phase != .closed && connections[slot].isSettled {
      close(slot)
    }
  }
}

// MARK: - Deadlines

extension Server {
  /// Does what has become due: looks through the connections for those that took too long, and
  /// accepts again.
  package mutating func tick() {
    resumeAccepting()
    guard now >= nextSweep else { return }
    // Who was just answered is not idle, though nothing was sent for long.
    flush()
    for slot in 0..<connections.count where connections[slot].phase != .closed { expire(slot) }
    flush()
    nextSweep = openConnections == 0 ? .never : now + Self.sweepInterval
  }

  private mutating func expire(_ slot: Int) {
    let elapsed = now - connections[slot].since
    if !connections[slot].output.isEmpty {
      if elapsed > limits.writeTime { reset(slot) }
    } else if connections[slot].outstanding > 0 {
      // The client waits for us.
    } else if connections[slot].phase == .lingering {
      if elapsed > limits.lingerTime { close(slot) }
    } else if connections[slot].pending != nil {
      if elapsed > limits.bodyTime { refuse(slot, .tooSlow) }
    } else if !connections[slot].input.isEmpty {
      if elapsed > limits.headerTime { refuse(slot, .tooSlow) }
    } else if elapsed > (connections[slot].asked == 0 ? limits.headerTime : limits.idleTime) {
      close(slot)
    }
  }
}
