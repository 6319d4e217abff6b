import System

/// Which descriptor of a connection to Redis an event is about: the lowest two bits of its token's slot. The
/// bits above are the connection's index among those of the same owner.
enum ConnectionSource: UInt32 {
  /// The socket to Redis; the generation is that of the link.
  case socket
  /// The resolver of the name of Redis.
  case resolver
  /// The socket to a sentinel; the generation is that of the conversation.
  case sentinel
  /// The resolver of a sentinel's name; the generation is the number of the sentinel.
  case sentinelResolver

  init?(_ event: Event) {
    self.init(rawValue: event.token.slot & 3)
  }

  static func index(of event: Event) -> Int { Int(event.token.slot >> 2) }

  func token(owner: UInt8, index: UInt32 = 0, generation: UInt32 = 0) -> Token {
    Token(owner: owner, slot: index << 2 | rawValue, generation: generation)
  }
}
