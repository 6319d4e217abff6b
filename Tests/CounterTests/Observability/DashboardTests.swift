import Foundation
import Testing

@testable import TestSupport

@Suite("The dashboard and the alert rules", .serialized)
struct DashboardTests {
  private struct Query: Decodable {
    let title: String
    let expression: String

    /// The expression with Grafana's variables filled in.
    var filledIn: String {
      expression.replacing("$__rate_interval", with: "1m").replacing("$job", with: "counter")
        .replacing("$instance", with: ".*")
    }

    /// The names of the metrics it asks for.
    var metrics: Set<String> {
      Set(expression.matches(of: /\b(counter|process)_[a-z_]+/).map { String($0.output.0) })
    }
  }

  private static let files = ["docs/grafana.json", "docs/alerts.yaml"]

  private func queries(_ file: String, _ folder: String) throws -> [Query] {
    let script = "\(Tools.repository)/Tests/Tools/read-rules.py"
    let json = try Tools.run(
      Tools.python, [script, "\(Tools.repository)/\(file)"], folder: folder)
    return try JSONDecoder().decode([Query].self, from: Data(json.utf8))
  }

  @Test("Ask only for metrics that there are", arguments: files)
  func names(file: String) throws {
    try withMetrics { _, _, port in
      try withTemporaryFolder { folder in
        let there = Set(try Scrape(port: port).samples.map(\.name))
        let queries = try queries(file, folder)
        #expect(queries.count > 10)
        for query in queries {
          let unknown = query.metrics.subtracting(there)
          #expect(unknown.isEmpty, "\(query.title)")
          #expect(!query.metrics.isEmpty || query.title == "CounterDown", "\(query.title)")
        }
      }
    }
  }

  @Test("Leave no metric out of the dashboard")
  func complete() throws {
    try withMetrics { _, _, port in
      try withTemporaryFolder { folder in
        let shown = try queries("docs/grafana.json", folder).reduce(into: Set()) {
          $0.formUnion($1.metrics)
        }
        for name in Set(try Scrape(port: port).samples.map(\.name))
        where name != "process_start_time_seconds" && name != "counter_visit_duration_seconds" {
          let family = name.replacing(/_(bucket|sum|count)$/, with: "")
          #expect(shown.contains { $0.hasPrefix(family) }, "\(name)")
        }
      }
    }
  }

  @Test("Hold expressions that Prometheus understands", arguments: files)
  func expressions(file: String) throws {
    try withTemporaryFolder { folder in
      // As recording rules, for that is what promtool reads; a string of JSON is one of YAML, too,
      // but for escaped slashes.
      let encoder = JSONEncoder()
      encoder.outputFormatting = .withoutEscapingSlashes
      let rules = try queries(file, folder).enumerated().map { index, query in
        let text = String(decoding: try encoder.encode(query.filledIn), as: UTF8.self)
        return "      - record: query_\(index)\n        expr: \(text)\n"
      }
      let groups = "groups:\n  - name: queries\n    rules:\n" + rules.joined()
      try groups.write(toFile: "\(folder)/rules.yaml", atomically: false, encoding: .utf8)
      let output = try Tools.run(
        Tools.promtool, ["check", "rules", "\(folder)/rules.yaml"], folder: folder)
      #expect(output.contains("SUCCESS: \(rules.count) rules found"), "\(output)")
    }
  }

  @Test("Promtool takes the alert rules as they are")
  func alerts() throws {
    try withTemporaryFolder { folder in
      let file = "\(Tools.repository)/docs/alerts.yaml"
      let output = try Tools.run(Tools.promtool, ["check", "rules", file], folder: folder)
      #expect(output.contains("SUCCESS: "))
    }
  }

  @Test("Operations explains every alert")
  func explained() throws {
    try withTemporaryFolder { folder in
      let text = try String(
        contentsOfFile: "\(Tools.repository)/docs/operations.md", encoding: .utf8)
      for alert in try queries("docs/alerts.yaml", folder) {
        #expect(text.contains("`\(alert.title)`"), "\(alert.title)")
      }
    }
  }
}
