import System

/// Which descriptor of a connection to Redis an event is about: the slot of its token.
enum ConnectionSource: UInt32 {
  /// The socket to Redis; the generation is that of the link.
  case socket
  /// The resolver of the name of Redis.
  case resolver
  /// The socket to a sentinel; the generation is that of the conversation.
  case sentinel
  /// The resolver of a sentinel's name; the generation is the number of the sentinel.
  case sentinelResolver

  func token(owner: UInt8, generation: UInt32 = 0) -> Token {
    Token(owner: owner, slot: rawValue, generation: generation)
  }
}
