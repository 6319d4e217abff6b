import Foundation

@testable import TestSupport

/// The table of what was seen, a line a fault, in Markdown on standard output.
enum Report {
  private static let columns = [
    "fault", "seconds", "visits", "failed", "doubled", "skipped", "out of order", "Redis's count",
    "requests with names", "unanswered", "repeated", "counters", "found wrong",
    "how often it struck",
  ]

  /// Written once, before the first line.
  private static let header: Void = {
    write(columns)
    write(columns.enumerated().map { (1...11).contains($0.offset) ? "---:" : "---" })
  }()

  static func add(
    _ name: String, _ time: Duration, _ findings: Findings, _ names: CounterFindings?,
    _ strikes: String
  ) {
    header
    let seconds = String(format: "%.1f", time / .seconds(1))
    write([
      name, seconds, "\(findings.answered + findings.failed)", "\(findings.failed)",
      "\(findings.doubled)", "\(findings.skipped)", "\(findings.outOfOrder)", "\(findings.count)",
      "\(names?.requests ?? 0)", "\(names?.unanswered ?? 0)", "\(names?.repeats ?? 0)",
      "\(names?.counters ?? 0)", names.map { "\($0)" } ?? "", strikes,
    ])
  }

  private static func write(_ cells: [String]) {
    let line = "| " + cells.joined(separator: " | ") + " |\n"
    FileHandle.standardOutput.write(Data(line.utf8))
  }
}
