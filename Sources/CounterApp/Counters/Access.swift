import HTTP

/// Which namespaces there are, whose pages may count in them, and who may manage counters.
struct Access: Sendable {
  /// Nil for any.
  private let namespaces: Set<String>?

  private let origins: Origins

  let tokens: TokenStore

  /// Whether everyone may count in every namespace, so that no request needs a look at its namespace.
  let isOpen: Bool

  init(namespaces: Set<String>?, origins: Origins, tokens: TokenStore) {
    self.namespaces = namespaces
    self.origins = origins
    self.tokens = tokens
    isOpen = namespaces == nil && origins.isEmpty
  }

  /// Checks that the namespace of a name exists.
  @inline(__always)
  borrowing func checkNamespace(_ name: borrowing NameBuffer) throws(Problem) {
    if let namespaces, !namespaces.contains(name.namespaceText) { throw .unknownNamespace }
  }

  /// Checks that a hit may count in the namespace of a name, as far as its origin is concerned.
  @inline(__always)
  borrowing func checkOrigin(
    of header: Span<UInt8>, _ name: borrowing NameBuffer
  ) throws(Problem) {
    guard origins.isEmpty || origins.allowHit(in: name.namespaceText, header: header) else {
      throw .otherOrigin
    }
  }
}
