import System

/// Why the sentinels of a round have not told where the primary is, for people.
struct SentinelFailures {
  private var reasons: [String] = []
  private var omitted = 0

  /// How many reasons are kept.
  private static var most: Int { 8 }

  mutating func add(_ sentinel: HostPort, _ error: RedisError) {
    guard reasons.count < Self.most else {
      omitted += 1
      return
    }
    reasons.append("\(sentinel): \(error)")
  }

  var description: String {
    reasons.joined(separator: "; ") + (omitted == 0 ? "" : "; and \(omitted) more")
  }
}
