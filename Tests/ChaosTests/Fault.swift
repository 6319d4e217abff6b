import Testing

@testable import TestSupport

/// Something that goes wrong while many visit, and what they may notice of it.
struct Fault: Sendable, CustomTestStringConvertible {
  /// How often something happened, and what.
  struct Strikes {
    let count: Int
    let what: String
  }

  /// Which visits may stay without a number.
  enum Failures: Sendable {
    /// None.
    case none

    /// Some are told 503, and each of them counts once at most.
    case countedOnceAtMost

    /// Some are told 503, and none of them counts.
    case neverCounted

    /// Those under way to the last counter are cut off, and each of them counts once at most.
    case cutOff
  }

  let name: String
  let failures: Failures

  /// In seconds.
  let visitTimeout: Double

  /// Whether the counters reach Redis through a proxy.
  let hasProxy: Bool

  /// How many replicas must have a visit before it is answered, of a Redis with two replicas and three
  /// sentinels; nil for a single Redis.
  let minReplicas: Int?

  /// Whether the link to Redis is encrypted.
  let isEncrypted: Bool

  /// The Redis Cluster that visits are counted in; nil for none.
  let cluster: Cluster?

  /// For each counter, user and password in the address of Redis, as they stand before the host.
  let credentials: [String]

  /// Whether some requests for counters with names are refused.
  let refusesNames: Bool

  /// Goes wrong again and again until the scene's time is over, and is mended at the end.
  let strike: @Sendable (Scene) throws -> [Strikes]

  /// A Redis Cluster of three primaries.
  enum Cluster {
    case ofPrimaries
    /// Each has a replica, and that is waited for.
    case withReplicas
  }

  init(
    _ name: String, _ failures: Failures = .none, visitTimeout: Double = 15,
    hasProxy: Bool = false, isEncrypted: Bool = false, minReplicas: Int? = nil,
    cluster: Cluster? = nil,
    credentials: [String] = ["", ""],
    refusesNames: Bool = false,
    strike: @escaping @Sendable (Scene) throws -> [Strikes]
  ) {
    self.name = name
    self.failures = failures
    self.visitTimeout = visitTimeout
    self.hasProxy = hasProxy
    self.minReplicas = minReplicas
    self.isEncrypted = isEncrypted
    self.cluster = cluster
    self.credentials = credentials
    self.refusesNames = refusesNames
    self.strike = strike
  }

  /// Only where a counter is killed may a visitor find nobody there.
  var whenRefused: Visitors.WhenRefused { failures == .cutOff ? .knockAgain : .fail }

  var testDescription: String { name }
}
