import Redis
import System

/// What a node of a Redis Cluster answers about the slot of a command that it does not carry out
/// (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#redirection-and-resharding).
/// Nothing was written then.
enum Redirection: Equatable {
  /// Another node has the slot (MOVED).
  case moved(to: RedisAddress.Endpoint)

  /// The slot is moving, and the keys are at the other node already (ASK): it is asked this time only.
  case ask(RedisAddress.Endpoint)

  /// The slot is moving, and some of the keys are at one node and some at the other, or nowhere (TRYAGAIN).
  case split

  /// The node serves no slot, or not this one: the cluster is down, the node is loading its data, or it is
  /// none of the cluster any more.
  case notServed

  /// - Parameters:
  ///   - error: the text of an error.
  ///   - node: who answered it. A node that does not know under which address it is reached names none.
  /// - Returns: nil when the error is about something else.
  init?(_ error: String, from node: RedisAddress.Endpoint) {
    let words = error.split(separator: " ")
    switch words.first {
    case "MOVED", "ASK":
      guard words.count == 3, let place = Self.place(words[2], from: node) else { return nil }
      self = words[0] == "ASK" ? .ask(place) : .moved(to: place)
    case "TRYAGAIN": self = .split
    case "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY": self = .notServed
    // A script found that a key of its slot has left.
    default:
      guard error.contains("non local key") else { return nil }
      self = .split
    }
  }

  /// Whether only a node of a cluster answers such an error.
  static func isOfCluster(_ error: String) -> Bool {
    ["MOVED ", "ASK ", "CLUSTERDOWN "].contains { error.hasPrefix($0) }
  }

  /// Reads `host:port`, where an IPv6 address has no brackets; without a host, or with a question mark in
  /// its place, it is that of the node that answered.
  private static func place(
    _ text: Substring, from node: RedisAddress.Endpoint
  ) -> RedisAddress.Endpoint? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[colon...].dropFirst()),
      port > 0
    else { return nil }
    var host = String(text[..<colon])
    if host.isEmpty || host == "?" {
      guard case .tcp(let same, _) = node else { return nil }
      host = same
    }
    return .tcp(host: host, port: port)
  }
}
