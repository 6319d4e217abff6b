import BasicContainers
import DequeModule
import System

/// What a reply that has not come yet will answer.
enum Expectation: Sendable {
  /// AUTH, SELECT or a command of the greeting.
  case greeting
  /// A ping of the connection's own.
  case ping
  /// A command of the program, which gets the reply.
  case command
  /// A command that was pipelined behind a command of the program.
  case pipelined
}

/// A socket to Redis, the reader of its bytes, and the replies that are expected on it.
struct Link: ~Copyable {
  let socket: Descriptor
  var reader = RESPReader()

  /// The replies that Redis still has to send, in their order. Two commands with all that can be
  /// pipelined behind them fit: the next command may be sent before the pipelined replies of the last
  /// one are there.
  var replies = RigidDeque<Expectation>(capacity: 2 * (Command.mostPipelined + 1))

  /// Bytes to be written, and how many of them were.
  private var output = UniqueArray<UInt8>()
  private var sentCount = 0

  /// The events that the poller watches for: at first that the socket is connected.
  private(set) var watched = Readiness.write

  /// Starts to connect.
  init(connectingTo address: SocketAddress) throws(SystemError) {
    socket = try .connecting(to: address)
  }

  mutating func append(_ command: borrowing Command, expecting expectation: Expectation) {
    replies.append(expectation)
    let rest: Expectation = expectation == .greeting ? .greeting : .pipelined
    for _ in 0..<command.pipelinedCount { replies.append(rest) }
    output.append(copying: command.bytes.span)
  }

  mutating func readInput() throws(RedisError) {
    try reader.readInput(from: socket)
  }

  /// Writes as much of the output as the kernel takes, and has the poller watch for what is needed to
  /// go on.
  mutating func flush(_ poller: Poller, _ token: Token) throws(SystemError) {
    var wanted = Readiness.read
    while sentCount < output.count {
      guard let count = try socket.send(output.span.extracting(sentCount...)) else {
        wanted = [.read, .write]
        break
      }
      sentCount += count
    }
    if wanted == .read {
      output.removeAll(keepingCapacity: true)
      sentCount = 0
    }
    if wanted != watched { try poller.change(socket.number, wanted, token) }
    watched = wanted
  }
}
