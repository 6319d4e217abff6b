import Foundation
import Glibc

/// All that a run found, as it is written to the JSON file.
struct Report: Codable {
  var date: String
  var machine: Machine
  var redis: String
  var fsync: String
  var secondsEach: Int
  var model: Model
  var results: [Result]

  /// A measurement, and what the model expected.
  struct Result: Codable {
    var measured: Measurement
    var predicted: Model.Prediction

    /// What kept the scripts from being more.
    var limit: Limit
  }

  /// What sets the number of scripts a second.
  enum Limit: String, Codable {
    /// Hardly two visits meet in a batch.
    case visits
    /// Loops wait for replies, and Redis is not much slower than when it is idle.
    case roundTrip = "round trip"
    /// Batches stand in a queue at Redis.
    case redis = "Redis"
    /// Redis has to share the machine's processors, which are taken, with the emulated loops and
    /// whatever else runs.
    case processors
  }
}

extension Report.Result {
  init(_ measured: Measurement, _ model: Model, processors: Int) {
    self.measured = measured
    predicted = model.predict(measured.scenario)
    let used = measured.processors
    let all = used.redis + used.emulator + used.others
    let unhurried = measured.scenario.networkDelay + model.roundTrip
    limit =
      if measured.batch < 1.1 {
        .visits
      } else if used.redis < 0.9, all > 0.8 * Double(processors) {
        .processors
      } else if measured.latency.mean < 3 * unhurried {
        .roundTrip
      } else {
        .redis
      }
  }
}

/// Where it ran.
struct Machine: Codable {
  var processor: String
  var processors: Int
  var kernel: String

  init() {
    processors = ProcessInfo.processInfo.processorCount
    let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = information.split(separator: "\n").first { $0.hasPrefix("model name") }
    processor =
      line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? "unknown"
    let release = try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
    kernel = (release ?? "unknown").trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
