import Foundation
import Testing

/// The threat list names the test for each threat; a name that no test has would be a promise that
/// nobody keeps.
@Suite("The threat list")
struct SecurityDocumentTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test("names tests for every threat, and all of them are there")
  func names() throws {
    let rows = try String(
      contentsOf: Self.root.appendingPathComponent("docs/security.md"), encoding: .utf8
    ).split(separator: "\n").filter { $0.hasPrefix("| ") && !$0.hasPrefix("| threat ") }
    #expect(rows.count > 20)
    let tests = try sources()
    for row in rows {
      let cells = row.split(separator: "|")
      #expect(cells.count == 3, "\(row)")
      let names = (cells.last ?? "").matches(of: /`([^`]+)`/).map(\.1)
      #expect(!names.isEmpty, "\(row)")
      for name in names {
        // Tests in Swift have texts as names, those in Python have functions.
        let isThere = tests.contains("\"\(name)\"") || tests.contains("def \(name)(")
        #expect(isThere, "no test is called \(name)")
      }
    }
  }

  /// All that stands in the folder of the tests.
  private func sources() throws -> String {
    let folder = Self.root.appendingPathComponent("Tests")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    var text = ""
    for case let file as URL in files ?? .init() where ["swift", "py"].contains(file.pathExtension)
    {
      text += try String(contentsOf: file, encoding: .utf8)
    }
    return text
  }
}
