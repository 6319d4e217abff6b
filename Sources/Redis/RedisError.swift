package import System

/// Why a connection to Redis is not usable.
package enum RedisError: Error, Equatable, Sendable {
  /// The host has no address; with the resolver's reason.
  case unknownHost(String)
  /// A system call failed: connecting, reading or writing.
  case system(SystemError)
  /// The connection is not encrypted, or its server is not trusted.
  case tls(TLSError)
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
  /// No sentinel has told where the primary is; with the reason of each.
  case noPrimary(String)
  /// The server that was named as the primary has this role.
  case notPrimary(role: String)
  /// Redis is elsewhere now: sentinels have named another primary.
  case moved(HostPort)
  /// A node of a Redis Cluster does not answer; with its address and the reason.
  case node(String, reason: String)
}

extension RedisError: CustomStringConvertible {
  /// The reason, for people; holds no password.
  package var description: String {
    switch self {
    case .unknownHost(let reason): "unknown host: \(reason)"
    case .system(let error): error.reason
    case .tls(let error): error.description
    case .closed: "connection closed"
    case .timedOut: "no answer in time"
    case .tooSlow(let limit): "no answer within \(limit.seconds) s, the longest that a visit waits"
    case .malformedReply(let reason): "not understood: \(reason)"
    case .refused(let reason): reason
    case .noPrimary(let reasons): "no sentinel tells the primary: \(reasons)"
    case .notPrimary(let role): "the server is no primary, its role is \(role)"
    case .moved(let primary): "the primary has moved to \(primary)"
    case .node(let node, let reason): "its node \(node): \(reason)"
    }
  }
}

extension RedisError {
  /// What is wrong, for clients of the program, so without any address; nil when there is no more to say
  /// than that Redis does not answer.
  package var publicReason: String? {
    switch self {
    case .tls(let error): error.description
    case .noPrimary: "no sentinel tells the primary of Redis"
    case .notPrimary: "the Redis that the sentinels name is no primary"
    default: nil
    }
  }
}
