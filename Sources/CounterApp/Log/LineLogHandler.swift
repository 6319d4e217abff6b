import BasicContainers
import CLinux
package import Logging
import System

/// Formats each event as a line of text or as a JSON object.
///
/// A line of text holds no control characters, so a message can forge neither another line nor a
/// command to a terminal.
package struct LineLogHandler: LogHandler {
  /// The lowest level that is logged.
  package var logLevel: Logger.Level
  /// Values that every line shows after the message.
  package var metadata: Logger.Metadata = [:]
  private let label: String
  private let format: LogFormat
  private let write: @Sendable (String) -> Void

  /// - Parameter write: takes whole lines.
  package init(
    label: String, _ format: LogFormat, level: Logger.Level,
    write: @escaping @Sendable (String) -> Void
  ) {
    self.label = label
    self.format = format
    self.write = write
    logLevel = level
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var metadata = metadata
    metadata.merge(event.metadata ?? [:]) { $1 }
    let values = metadata.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
    switch format {
    case .text: write(text(event, values))
    case .json: write(json(event, values))
    }
  }

  /// Now, in UTC and to the millisecond: `2026-01-02T03:04:05.678Z` (RFC 3339).
  private static var timestamp: String {
    let now = timespec.wallClock
    var text = UniqueArray<UInt8>()
    text.append(utc: now.tv_sec, "%Y-%m-%dT%H:%M:%S")
    let milliseconds = "\(1000 + now.tv_nsec / 1_000_000)".dropFirst()
    return unsafe text.span.withUnsafeBufferPointer { bytes in
      unsafe "\(String(decoding: bytes, as: UTF8.self)).\(milliseconds)Z"
    }
  }

  private func text(_ event: LogEvent, _ metadata: [(String, String)]) -> String {
    let values = metadata.map { " \($0.0)=\($0.1)" }.joined()
    let line = "\(Self.timestamp) \(event.level) \(label): \(event.message)\(values)"
    return line.withoutControlCharacters + "\n"
  }

  private func json(_ event: LogEvent, _ metadata: [(String, String)]) -> String {
    var fields = [
      ("time", Self.timestamp), ("level", event.level.rawValue), ("logger", label),
      ("message", event.message.description),
    ]
    // A value whose name is that of a field gets a longer name.
    for (key, value) in metadata {
      fields.append((fields.contains { $0.0 == key } ? "metadata.\(key)" : key, value))
    }
    let members = fields.map { "\($0.quotedForJSON):\($1.quotedForJSON)" }
    return "{\(members.joined(separator: ","))}\n"
  }
}

extension String {
  /// The text with `\x` and its number for each control character. Those between 0x80 and 0x9F are
  /// commands to some terminals (ECMA-48).
  fileprivate var withoutControlCharacters: String {
    var text = ""
    for scalar in unicodeScalars {
      if scalar.properties.generalCategory == .control {
        text +=
          "\\x\(scalar.value < 16 ? "0" : "")\(String(scalar.value, radix: 16, uppercase: true))"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
