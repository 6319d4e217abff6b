/// Which namespaces there are, and who may manage counters.
struct Access: Sendable {
  /// Nil for any.
  let namespaces: Set<String>?

  let tokens: TokenStore

  /// Checks that the namespace of a name exists.
  @inline(__always)
  borrowing func checkNamespace(_ name: borrowing NameBuffer) throws(Problem) {
    if let namespaces, !namespaces.contains(name.namespaceText) { throw .unknownNamespace }
  }
}
