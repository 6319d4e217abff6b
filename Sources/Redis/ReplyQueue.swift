import BasicContainers

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

/// The replies that Redis still has to send, in their order: a ring of fixed size.
struct ReplyQueue: ~Copyable {
  private var ring = UniqueArray<Expectation>(
    repeating: .greeting, count: ReplyQueue.capacity)
  private var first = 0

  /// How many replies are expected.
  private(set) var count = 0

  /// Two commands with all that can be pipelined behind them fit: the next command may be sent before
  /// the pipelined replies of the last one are there.
  private static var capacity: Int { 2 * (Command.mostPipelined + 1) }

  var isEmpty: Bool { count == 0 }

  /// Adds expectations at the end.
  mutating func append(_ expectation: Expectation, count added: Int = 1) {
    precondition(count + added <= Self.capacity, "more replies are expected than the ring holds")
    for _ in 0..<added {
      ring[(first + count) % Self.capacity] = expectation
      count += 1
    }
  }

  /// Removes the expectation that the next reply fulfils; nil when no reply is expected.
  mutating func removeFirst() -> Expectation? {
    guard count > 0 else { return nil }
    defer {
      first = (first + 1) % Self.capacity
      count -= 1
    }
    return ring[first]
  }
}
