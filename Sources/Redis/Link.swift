import BasicContainers
import DequeModule
import System

/// A connected socket to Redis, over TCP or on this machine, with the bytes and the replies that are on
/// their way.
struct Link: ~Copyable {
  private let transport: Transport

  /// Bytes to be written, and how many of them were.
  private var output = UniqueArray<UInt8>()
  private var sentCount = 0

  var reader = RESPReader()

  /// Who gets the replies that Redis still has to send, in their order. Two commands with all that can be
  /// pipelined behind them fit: the next command may be sent before the pipelined replies of the last
  /// one are there.
  var replies = RigidDeque<Recipient>(capacity: 2 * (Command.mostPipelined + 1))

  /// How many replies can be expected besides those that are.
  var room: Int { replies.freeCapacity }

  /// The events that the poller watches for: at first that the socket is connected.
  private(set) var watched = Readiness.write

  /// Who gets a reply.
  enum Recipient {
    /// The program, to its command and to its confirmation.
    case program
    /// The connection, to its own commands and to those that are pipelined behind another.
    case connection
    /// The connection, to the question for the server's role (ROLE).
    case roleCheck
    /// Nobody: it is read, and an error in it has no consequence.
    case nobody
  }

  /// Starts to connect, and has the poller watch for the end of that.
  ///
  /// - Parameters:
  ///   - host: the name or the numeric address that the certificate of an encrypted server has to be for.
  ///   - tls: encrypts the connection; nil for a plain one.
  init(
    connectingTo address: SocketAddress, host: String, tls: TLSClient?, _ poller: Poller,
    _ token: Token
  ) throws(RedisError) {
    let transport = try Transport(connectingTo: address, host: host, tls: tls)
    do throws(SystemError) {
      try poller.add(transport.descriptor, .write, token)
    } catch {
      throw .system(error)
    }
    self.transport = transport
  }

  /// The descriptor to watch.
  var descriptor: CInt { transport.descriptor }

  /// The reason why the attempt to connect failed; nil when it succeeded.
  var connectionError: SystemError? { transport.connectionError }

  /// Whether the bytes are encrypted.
  var isEncrypted: Bool { transport.isEncrypted }

  /// Goes on with the handshake of an encrypted connection.
  ///
  /// - Returns: whether it is finished, and commands can be sent.
  mutating func finishHandshake(_ poller: Poller, _ token: Token) throws(RedisError) -> Bool {
    let isFinished = try transport.handshake()
    try watch(poller, token)
    return isFinished
  }

  /// Writes and reads what is possible after an event.
  mutating func handleReadiness(
    _ readiness: Readiness, _ poller: Poller, _ token: Token
  ) throws(RedisError) {
    if readiness.contains(.write) { try flush(poller, token) }
    // TLS may have to write before it can read, and to read before it can write.
    if readiness != .write || isEncrypted { try readInput() }
    if isEncrypted { try flush(poller, token) }
  }

  /// Adds a command to the output, for `flush` to write.
  ///
  /// - Parameter others: who gets the replies to the commands that are pipelined behind it.
  mutating func append(
    _ command: borrowing Command, replyTo recipient: Recipient, others: Recipient = .connection
  ) {
    replies.append(recipient)
    for _ in 0..<command.pipelinedCount { replies.append(others) }
    if command.confirmationTime != nil { replies[replies.count - 1] = recipient }
    output.append(copying: command.bytes.span)
  }

  /// Writes as much of the output as the kernel takes, and has the poller watch for what is needed next.
  mutating func flush(_ poller: Poller, _ token: Token) throws(RedisError) {
    while sentCount < output.count,
      let count = try transport.send(output.span.extracting(sentCount...))
    {
      sentCount += count
    }
    if sentCount == output.count {
      output.removeAll(keepingCapacity: true)
      sentCount = 0
    }
    try watch(poller, token)
  }

  /// Has the poller watch for what is needed next.
  private mutating func watch(_ poller: Poller, _ token: Token) throws(RedisError) {
    let isBlocked = !output.isEmpty || transport.isWriteBlocked
    let wanted: Readiness = isBlocked ? [.read, .write] : .read
    guard wanted != watched else { return }
    watched = wanted
    do throws(SystemError) {
      try poller.change(descriptor, watched, token)
    } catch {
      throw .system(error)
    }
  }

  /// Reads the bytes that have arrived. The poller does not know of those that OpenSSL holds, so none are
  /// left there but those of a record whose rest has not arrived.
  private mutating func readInput() throws(RedisError) {
    while try reader.readInput(from: transport), transport.hasBufferedInput {}
  }
}
