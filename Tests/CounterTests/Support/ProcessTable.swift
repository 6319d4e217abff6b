import Foundation
import Glibc

@testable import TestSupport

/// What the kernel says about a process that the suite did not start itself.
enum ProcessTable {
  /// Whether the process runs; one that has ended and only waits to be collected does not.
  static func isRunning(_ id: pid_t) -> Bool {
    guard let state = fields(of: id).first else { return false }
    return state != "Z" && state != "X"
  }

  /// The session of the process, nil when it does not run.
  static func session(of id: pid_t) -> pid_t? {
    let fields = fields(of: id)
    return fields.count > 3 ? pid_t(fields[3]) : nil
  }

  /// The processor time it has used so far, in hundredths of a second.
  static func processorTime(of id: pid_t) -> Int {
    fields(of: id).dropFirst(11).prefix(2).compactMap { Int($0) }.reduce(0, +)
  }

  /// The fields of /proc/…/stat that follow the name: state, parent, process group, session, …
  private static func fields(of id: pid_t) -> [Substring] {
    guard let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8),
      let name = text.lastIndex(of: ")")
    else { return [] }
    return text[text.index(after: name)...].split(separator: " ")
  }
}
