import Foundation
import Logging
import Synchronization
import Testing

@testable import CounterApp

/// Text that tries to end its line, to begin another, or to tell a terminal something.
private let hostile = [
  "a\nb", "a\r\nb", "\u{1B}[31mred\u{1B}[0m", "\u{9B}31m", "\"quoted\"", "back\\slash", "tab\t",
  "\u{0}", "\u{7F}", "\u{85}", "ümläut", "\u{1F600}", "\",\"level\":\"critical",
]

@Suite("The log")
struct LogTests {
  /// The lines that are written for what is logged.
  private func lines(
    _ format: LogFormat, level: Logger.Level = .trace, _ log: (inout Logger) -> Void
  ) -> [String] {
    final class Lines: Sendable {
      let all = Mutex<[String]>([])
    }
    let lines = Lines()
    var logger = Logger(label: "test") { label in
      LineLogHandler(label: label, format, level: level) { text in
        lines.all.withLock { $0.append(text) }
      }
    }
    log(&logger)
    return lines.all.withLock { $0 }
  }

  @Test("is one line an event, whatever the event holds", arguments: hostile)
  func text(_ message: String) throws {
    let lines = lines(.text) { $0.warning("\(message)", metadata: ["key": "\(message)"]) }
    let line = try #require(lines.first)
    #expect(lines.count == 1)
    #expect(line.hasSuffix("\n"))
    let controls = line.dropLast().unicodeScalars.filter {
      $0.properties.generalCategory == .control
    }
    #expect(controls.isEmpty)
    #expect(line.contains(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning test: .* key=/))
  }

  @Test("is a JSON object a line that holds just what was logged", arguments: hostile)
  func json(_ message: String) throws {
    let lines = lines(.json) {
      $0[metadataKey: "always"] = "here"
      $0.error("\(message)", metadata: ["key\(message)": "\(message)", "level": "mine"])
    }
    let line = try #require(lines.first)
    #expect(lines.count == 1)
    #expect(line.split(omittingEmptySubsequences: false) { $0.isNewline }.count == 2)
    let object = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
    let time = try #require(object["time"])
    #expect(abs(try Date(time, strategy: .iso8601WithFraction).timeIntervalSinceNow) < 60)
    #expect(object["level"] == "error")
    #expect(object["logger"] == "test")
    #expect(object["message"] == message)
    #expect(object["key\(message)"] == message)
    #expect(object["always"] == "here")
    #expect(object["metadata.level"] == "mine")
    #expect(object.count == 7)
  }

  @Test("leaves out what is below its level", arguments: LogFormat.allCases)
  func level(_ format: LogFormat) {
    let lines = lines(format, level: .warning) {
      $0.notice("no")
      $0.warning("yes")
      $0.error("yes, too")
    }
    #expect(lines.count == 2)
  }
}

extension ParseStrategy where Self == Date.ISO8601FormatStyle {
  fileprivate static var iso8601WithFraction: Self { .init(includingFractionalSeconds: true) }
}
