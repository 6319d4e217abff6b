package import System

/// Why a connection to Redis is not usable.
package enum RedisError: Error, Equatable, Sendable {
  /// The host has no address; with the resolver's reason.
  case unknownHost(String)
  /// A system call failed: connecting, reading or writing.
  case system(SystemError)
  /// The server, or a proxy on the way, closed the connection.
  case closed
  /// A reply, or the connection itself, did not come in time.
  case timedOut
  /// A reply did not come within the longest time that the program waits for one.
  case tooSlow(Interval)
  /// The bytes that came are not the protocol's; with the reader's reason.
  case malformedReply(String)
  /// Redis answered a command with this error.
  case refused(String)
}

extension RedisError: CustomStringConvertible {
  /// The reason, for people; holds no password.
  package var description: String {
    switch self {
    case .unknownHost(let reason): "unknown host: \(reason)"
    case .system(let error): error.reason
    case .closed: "connection closed"
    case .timedOut: "no answer in time"
    case .tooSlow(let limit): "no answer within \(limit.seconds) s, the longest that a visit waits"
    case .malformedReply(let reason): "not understood: \(reason)"
    case .refused(let reason): reason
    }
  }
}
