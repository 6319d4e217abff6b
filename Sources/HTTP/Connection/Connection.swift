import BasicContainers
import System
import Telemetry

/// One client's connection. The bytes of whole requests and whole answers pass it by, in buffers
/// that all connections share; what it keeps of its own is only what could not be finished.
struct Connection: ~Copyable {
  var socket = Descriptor.none
  var phase = Phase.closed
  var interest = usualInterest

  /// Which client this slot serves, so that what is meant for an earlier one is recognized.
  var generation: UInt32 = 0

  /// How many requests were taken, and how many of them were answered, modulo 2^32.
  var asked: UInt32 = 0
  var answered: UInt32 = 0

  /// When it last got on: the start of a request or its body, an answer, bytes taken by a reader.
  var since = Instant(nanoseconds: 0)

  /// A request that is not all there yet, or requests that wait because too many came before.
  var input = ByteBuffer()

  /// Answers that the client has not read yet.
  var output = ByteBuffer()

  /// Answers that were ready before an earlier one was.
  var early = UniqueArray<EarlyAnswer>()

  /// The request whose body is being read, and how far.
  var pending: PendingRequest?

  /// It stopped reading requests until the client has read some answers.
  var isPaused = false

  /// The client has sent its last byte.
  var inputEnded = false

  /// The client may still be sending something that nobody will read.
  var hasUnread = false

  /// A `100 Continue` is due once the earlier requests are answered.
  var owesContinue = false

  /// What is always watched for. Edge-triggered, the kernel need not look at every connection twice:
  /// once to tell, and once more to find that nothing is left.
  private static let always: Readiness = [.edgeTriggered, .endOfInput]
  static let usualInterest: Readiness = [.read, .edgeTriggered, .endOfInput]

  enum Phase: Sendable {
    /// The slot is free.
    case closed
    /// Requests are read.
    case open
    /// No further request is read; what was asked is answered.
    case finishing
    /// All is answered; the client is given time to read it before the close, which would
    /// otherwise destroy it on the way if something unread had come (RFC 9112 section 9.6).
    case lingering
  }

  /// How many of its requests wait for their answers.
  var outstanding: Int { Int(asked &- answered) }

  /// Whether nothing is left to be done for the client.
  var isSettled: Bool { asked == answered && output.isEmpty }

  /// Whether it is just open, and nothing that could have happened to it changes what is to be done.
  @inline(__always)
  var isAsUsual: Bool {
    phase == .open && interest == Self.usualInterest && output.isEmpty && !isPaused && !inputEnded
      && !owesContinue
  }

  /// What should be watched for now.
  var wanted: Readiness {
    var wanted = Self.always
    if !isPaused && !inputEnded { wanted.insert(.read) }
    if !output.isEmpty { wanted.insert(.write) }
    return wanted
  }

  /// Reads once, to the end of `bytes`.
  ///
  /// - Returns: how many bytes came; 0 at the end; nil when nothing is there.
  mutating func receive(into bytes: inout ByteBuffer) throws(SystemError) -> Int? {
    var count: Int?
    try bytes.append(addingCount: Server.readSize) { span throws(SystemError) in
      count = try socket.receive(into: &span)
    }
    return count
  }

  /// Makes `bytes` what was put by, and nothing else.
  mutating func copyInput(to bytes: inout ByteBuffer) {
    bytes.removeAll(keepingCapacity: true)
    if !input.isEmpty { bytes.append(input, from: 0) }
  }

  /// Puts by what could not be understood yet, for when more of it comes.
  mutating func keepRest(of bytes: borrowing ByteBuffer, from start: Int, _ now: Instant) {
    let isNew = start > 0 || input.isEmpty
    let isEmpty = start == bytes.count
    if !input.isEmpty { input = ByteBuffer() }
    if phase != .open {
      hasUnread = hasUnread || !isEmpty
    } else if !isEmpty {
      input.append(bytes, from: start)
      if isNew { since = now }
    }
    if phase == .open, inputEnded, !isPaused {
      // What is left can never become a request.
      phase = .finishing
    }
  }

  /// Frees the slot and closes the socket.
  mutating func close() {
    socket = .none
    phase = .closed
    generation &+= 1
    input = ByteBuffer()
    output = ByteBuffer()
    early = UniqueArray()
    pending = nil
  }

  /// Takes the slot for a new client.
  mutating func open(_ socket: consuming Descriptor, _ now: Instant) {
    self.socket = socket
    phase = .open
    interest = Self.usualInterest
    asked = 0
    answered = 0
    since = now
    isPaused = false
    inputEnded = false
    hasUnread = false
    owesContinue = false
  }
}

/// An answer that waits for those before it.
struct EarlyAnswer: ~Copyable {
  let sequence: UInt32
  var bytes: ByteBuffer
}
