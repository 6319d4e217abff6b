import BasicContainers
import System

/// A socket to Redis, the reader of its bytes, and the replies that are expected on it.
struct Link: ~Copyable {
  var transport: Transport
  var reader = RESPReader()
  var replies = ReplyQueue()

  /// The events that the poller watches for.
  var watched = Readiness.write

  init(_ transport: consuming Transport) {
    self.transport = transport
  }

  mutating func append(_ command: borrowing Command, expecting expectation: Expectation) {
    replies.append(expectation)
    replies.append(
      expectation == .greeting ? .greeting : .pipelined, count: command.pipelinedCount)
    transport.append(command.bytes.span)
  }

  mutating func readInput() throws(RedisError) {
    try reader.readInput(from: transport)
  }
}
