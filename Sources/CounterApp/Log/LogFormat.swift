/// The format of the log and of the access log.
package enum LogFormat: String, CaseIterable, Sendable {
  /// For people: time, level, message; the access log in the combined format.
  case text
  /// For programs: a JSON object a line.
  case json
}
