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

/// A transport to Redis, the reader of its bytes, and the replies that are expected on it.
struct Link: ~Copyable {
  var transport: Transport
  var reader = RESPReader()

  /// The replies that Redis still has to send, in their order. Two commands with all that can be
  /// pipelined behind them fit: the next command may be sent before the pipelined replies of the last
  /// one are there.
  var replies = RigidDeque<Expectation>(capacity: 2 * (Command.mostPipelined + 1))

  /// The events that the poller watches for.
  private(set) var watched = Readiness.write

  init(_ transport: consuming Transport) {
    self.transport = transport
  }

  mutating func append(_ command: borrowing Command, expecting expectation: Expectation) {
    replies.append(expectation)
    let rest: Expectation = expectation == .greeting ? .greeting : .pipelined
    for _ in 0..<command.pipelinedCount { replies.append(rest) }
    transport.append(command.bytes.span)
  }

  mutating func readInput() throws(RedisError) {
    try reader.readInput(from: transport)
  }

  /// Writes as much of the output as the kernel takes, and has the poller watch for the events that the
  /// transport needs.
  mutating func flush(_ poller: Poller, _ token: Token) throws(SystemError) {
    try transport.flush()
    guard transport.interest != watched else { return }
    watched = transport.interest
    try poller.change(transport.descriptor, watched, token)
  }
}
