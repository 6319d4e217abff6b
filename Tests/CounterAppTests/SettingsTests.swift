import Foundation
import HTTP
import Testing

@testable import CounterApp

@Suite("The settings")
struct SettingsTests {
  @Test("stand in docs/settings.md as they are declared")
  func table() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(
      contentsOf: root.appendingPathComponent("docs/settings.md"), encoding: .utf8)
    let parts = page.components(separatedBy: "<!-- settings -->\n")
    let table = parts.last?.components(separatedBy: "<!-- /settings -->").first
    #expect(parts.count == 2)
    #expect(table == Settings.table, "the table should be:\n\(Settings.table)")
  }

  @Test("have each a flag and a variable of their own")
  func names() {
    #expect(Set(Settings.all.map(\.flag)).count == Settings.all.count)
    let variables = Settings.all.compactMap(\.variable)
    #expect(Set(variables).count == variables.count)
  }

  @Test("have the defaults of the module that keeps to them")
  func limits() throws {
    let (configured, limits) = (try configure().limits(connections: 1), Limits())
    #expect(configured.headerTime == limits.headerTime)
    #expect(configured.bodyTime == limits.bodyTime)
    #expect(configured.idleTime == limits.idleTime)
    #expect(configured.writeTime == limits.writeTime)
  }
}
