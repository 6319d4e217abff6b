/// Which namespaces there are, and who may manage counters.
struct Access: Sendable {
  /// Nil for any.
  let namespaces: Set<String>?

  let tokens: TokenStore
}
