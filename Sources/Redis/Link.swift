import BasicContainers
import DequeModule
import System

/// A socket to Redis, over TCP or on this machine, with the bytes and the replies that are on their way.
struct Link: ~Copyable {
  private let socket: Descriptor

  /// Bytes to be written, and how many of them were.
  private var output = UniqueArray<UInt8>()
  private var sentCount = 0

  var reader = RESPReader()

  /// Who gets the replies that Redis still has to send, in their order. Two commands with all that can be
  /// pipelined behind them fit: the next command may be sent before the pipelined replies of the last
  /// one are there.
  var replies = RigidDeque<Recipient>(capacity: 2 * (Command.mostPipelined + 1))

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
  }

  /// Starts to connect.
  init(connectingTo address: SocketAddress) throws(SystemError) {
    socket = try .connecting(to: address)
  }

  /// The descriptor to watch.
  var descriptor: CInt { socket.number }

  /// The reason why the attempt to connect failed; nil when it succeeded.
  var connectionError: SystemError? { socket.connectionError }

  /// Adds a command to the output, for `flush` to write.
  mutating func append(_ command: borrowing Command, replyTo recipient: Recipient) {
    replies.append(recipient)
    for _ in 0..<command.pipelinedCount { replies.append(.connection) }
    if command.confirmationTime != nil { replies[replies.count - 1] = recipient }
    output.append(copying: command.bytes.span)
  }

  /// Writes as much of the output as the kernel takes, and has the poller watch for what is needed next.
  mutating func flush(_ poller: Poller, _ token: Token) throws(SystemError) {
    while sentCount < output.count,
      let count = try socket.send(output.span.extracting(sentCount...))
    {
      sentCount += count
    }
    if sentCount == output.count {
      output.removeAll(keepingCapacity: true)
      sentCount = 0
    }
    let wanted: Readiness = output.isEmpty ? .read : [.read, .write]
    guard wanted != watched else { return }
    watched = wanted
    try poller.change(descriptor, watched, token)
  }

  /// Reads the bytes that have arrived.
  mutating func readInput() throws(RedisError) {
    try reader.readInput(from: socket)
  }
}
