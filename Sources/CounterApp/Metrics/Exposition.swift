import System
import Telemetry

/// Text in Prometheus's exposition format, version 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
///
/// Names, labels and help texts are constants of this program that need no escaping.
struct Exposition {
  private(set) var text = ""

  /// The media type of the format.
  static var contentType: String { "text/plain; version=0.0.4; charset=utf-8" }

  /// A number that only grows.
  mutating func counter(_ name: String, _ help: String, _ value: some Numeric) {
    begin(name, "counter", help)
    sample(name, value)
  }

  /// Numbers that only grow, told apart by a label.
  mutating func counter(
    _ name: String, _ help: String, by label: String, _ values: [(String, UInt64)]
  ) {
    begin(name, "counter", help)
    for (key, value) in values { sample("\(name){\(label)=\"\(key)\"}", value) }
  }

  /// A number that grows and shrinks.
  mutating func gauge(_ name: String, _ help: String, _ value: some Numeric) {
    begin(name, "gauge", help)
    sample(name, value)
  }

  /// Numbers that grow and shrink, told apart by a label.
  mutating func gauge(
    _ name: String, _ help: String, by label: String, _ values: [(String, Int)]
  ) {
    begin(name, "gauge", help)
    for (key, value) in values { sample("\(name){\(label)=\"\(key)\"}", value) }
  }

  /// A metric that is 1 and means something by its label only.
  mutating func info(_ name: String, _ help: String, _ label: String, _ value: String) {
    begin(name, "gauge", help)
    sample("\(name){\(label)=\"\(value)\"}", 1)
  }

  /// - Parameter unit: the unit of the values, in the unit that the name tells.
  mutating func histogram(
    _ name: String, _ help: String, _ reading: Histogram.Reading, unit: Double = 1
  ) {
    begin(name, "histogram", help)
    for bucket in reading.buckets {
      sample("\(name)_bucket{le=\"\(Double(bucket.bound) * unit)\"}", bucket.count)
    }
    sample("\(name)_bucket{le=\"+Inf\"}", reading.count)
    sample("\(name)_sum", Double(reading.sum) * unit)
    sample("\(name)_count", reading.count)
  }

  private mutating func begin(_ name: String, _ type: String, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }

  private mutating func sample(_ name: String, _ value: some Numeric) {
    text += "\(name) \(value)\n"
  }
}
