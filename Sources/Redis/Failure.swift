package import System

/// Why there is no usable connection to Redis.
package enum Failure: Error, Equatable, Sendable {
  /// The host's name means nothing to the resolver, which says why.
  case unknownHost(String)
  /// The kernel refused to connect, read or write.
  case system(SystemError)
  /// The server, or something between, closed the connection.
  case closed
  /// No answer came in time.
  case timedOut
  /// What came is not the protocol.
  case garbled(String)
  /// Redis answered with this error, which says nothing about the data.
  case refused(String)
}

extension Failure: CustomStringConvertible {
  /// The reason, for people; holds no password.
  package var description: String {
    switch self {
    case .unknownHost(let reason): "unknown host: \(reason)"
    case .system(let error): error.reason
    case .closed: "connection closed"
    case .timedOut: "no answer in time"
    case .garbled(let reason): "not understood: \(reason)"
    case .refused(let reason): reason
    }
  }
}
