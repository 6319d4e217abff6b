import System

/// What one measurement emulates.
struct Scenario: Codable, Sendable {
  /// Event loops: replicas times threads.
  var loops: Int

  /// Visits a second, at all loops together.
  var visitsPerSecond: Double

  /// What the network adds to a round trip, in seconds.
  var networkDelay: Double

  /// The network's part of a round trip, as the loops keep it.
  var delay: Interval { Interval(nanoseconds: Int64(networkDelay * 1e9)) }
}

/// What one measurement found.
struct Measurement: Codable {
  var scenario: Scenario

  /// Scripts that Redis ran, a second.
  var callsPerSecond: Double

  /// Visits that were counted, a second.
  var visitsPerSecond: Double

  /// Visits a script.
  var batch: Double { visitsPerSecond / callsPerSecond }

  /// Seconds from a visit to its number.
  var latency: Latency

  /// Seconds of processor time a second: of Redis, of this program, of whatever else ran.
  var processors: Processors

  /// Each visit got a number, each number from 1 to Redis's count went to exactly one visit.
  var isExact: Bool

  struct Latency: Codable {
    var mean: Double
    var p99: Double
  }

  struct Processors: Codable {
    var redis: Double
    var emulator: Double
    var others: Double
  }
}

extension Measurement.Latency {
  /// - Parameter nanoseconds: of each visit, in any order.
  init(_ nanoseconds: [Int64]) {
    let sorted = nanoseconds.sorted()
    let count = max(sorted.count, 1)
    mean = sorted.reduce(0) { $0 + Double($1) } / Double(count) / 1e9
    p99 = sorted.isEmpty ? 0 : Double(sorted[(count * 99 - 1) / 100]) / 1e9
  }
}
