import Logging
import Synchronization

@testable import CounterApp

/// A log that keeps its lines.
final class Lines: Sendable {
  private let lines = Mutex<[String]>([])

  var all: [String] { lines.withLock { $0 } }

  var logger: Logger {
    Logger(label: "test") { [self] label in
      LineLogHandler(label: label, .text, level: .trace) { line in
        self.lines.withLock { $0.append(line) }
      }
    }
  }
}
