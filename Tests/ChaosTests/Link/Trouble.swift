/// What a bad link does to what it carries.
enum Trouble: Sendable {
  /// A message stops before some byte of it, and the connection is reset.
  case cut

  /// A reply gets lost after the command went through, and the connection is reset.
  case loseReply

  /// A reply gets lost, and the connection stays open.
  case swallowReply

  /// A message comes byte by byte.
  case trickle

  /// A message is held up, for so many seconds.
  case stall(ClosedRange<Double>)

  /// A copy of a command comes later, over a connection of its own. The command itself gets through
  /// or is lost with its connection.
  case deliverOldCopy

  /// How many messages a connection carries well before it strikes (again).
  var pause: Range<Int> {
    switch self {
    case .cut: 0..<30
    case .loseReply: 0..<15
    // Not in the greeting, or in the first reply: each costs a visit another wait.
    case .swallowReply: 3..<20
    case .trickle: 0..<1
    case .stall: 0..<10
    case .deliverOldCopy: 0..<10
    }
  }

  /// Whether it can strike this message.
  func canStrike(_ message: [UInt8], _ direction: Direction) -> Bool {
    switch self {
    case .cut, .trickle, .stall: true
    case .loseReply, .swallowReply: direction == .reply
    case .deliverOldCopy: direction == .command && message.firstRange(of: "EVAL".utf8) != nil
    }
  }
}

/// Which way a message goes.
enum Direction: Sendable {
  case command
  case reply
}
