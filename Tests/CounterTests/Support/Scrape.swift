import Foundation
import Testing

@testable import TestSupport

/// The metrics at one moment, read by Prometheus's own parser.
struct Scrape {
  struct Sample: Decodable {
    let type: String
    let name: String
    let labels: [String: String]
    let value: Double
  }

  let text: String
  let samples: [Sample]

  init(port: UInt16) throws {
    let response = try HTTPClient(port: port).get("/metrics")
    #expect(response.status == 200)
    #expect(response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
    let text = response.body
    self.text = text
    samples = try withTemporaryFolder { folder in
      try text.write(toFile: "\(folder)/metrics", atomically: false, encoding: .utf8)
      let script = "\(Tools.repository)/Tests/Tools/read-metrics.py"
      let json = try Tools.run(Tools.python, [script, "\(folder)/metrics"], folder: folder)
      return try JSONDecoder().decode([Sample].self, from: Data(json.utf8))
    }
  }

  /// The one sample of a name, and a label's value if it has one.
  subscript(_ name: String, _ label: String? = nil) -> Double? {
    let found = samples.filter {
      $0.name == name && (label == nil || $0.labels.values.contains(label ?? ""))
    }
    return found.count == 1 ? found[0].value : nil
  }

  /// Every sample by name and labels.
  var byLabels: [String: Sample] {
    Dictionary(uniqueKeysWithValues: samples.map { ("\($0.name) \($0.labels.sorted(by: <))", $0) })
  }

  /// How many values of a histogram lie in each bucket and all before it, by upper bound.
  func buckets(_ name: String) -> [(bound: Double, count: Double)] {
    samples.filter { $0.name == "\(name)_bucket" }
      .map { (Double($0.labels["le"]?.replacing("+Inf", with: "inf") ?? "") ?? .nan, $0.value) }
      .sorted { $0.0 < $1.0 }
  }
}

/// What tests run besides the counter; the scripts that install it are `scripts/install-*`.
enum Tools {
  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().appendingPathComponent("../../..").standardized.path

  static let python = "\(repository)/.build/python/bin/python"
  static let promtool = "\(repository)/.build/promtool"

  /// Runs a program to its end, which must be a good one.
  ///
  /// - Returns: what it wrote on standard output.
  static func run(
    _ program: String, _ arguments: [String], folder: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let process = try ChildProcess(
      program, arguments, environment: ["PATH": "/usr/bin:/bin"], folder: folder)
    let code = try process.waitForExit(within: .seconds(60))
    #expect(code == 0, "\(program): \(process.errors)", sourceLocation: sourceLocation)
    return process.output
  }
}

/// Lends a running counter that serves metrics, with the redis-server it counts in.
func withMetrics(
  _ flags: [String] = [],
  _ body: (CounterProcess, RedisProcess, _ metricsPort: UInt16) throws -> Void
) throws {
  let port = try FreePort.take()
  try withCounterAndRedis(["--metrics-port", "\(port)"] + flags) { counter, redis in
    try body(counter, redis, port)
  }
}
