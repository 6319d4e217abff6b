import System
import CLinux

/// What the machine, and the control groups of this process (cgroups(7)), let the program use.
package struct Machine: Equatable, Sendable {
  /// The processors that the program can keep busy, at least 1.
  package var processors: Int
  /// The memory that the program may take, in bytes; nil for no limit.
  package var memoryLimit: Int?

  /// What this process may use now.
  package static var current: Machine {
    let groups = ControlGroups(TextFile.read("/proc/self/cgroup") ?? "") { TextFile.read($0) }
    let allowed = max(1, Int(clinux_processor_count()))
    return Machine(
      processors: max(1, min(allowed, groups.processors ?? allowed)),
      memoryLimit: groups.memory)
  }
}

/// The limits that control groups set: the smallest one on the way from the process's group to the
/// root counts.
struct ControlGroups {
  private let memberships: String
  private let read: (String) -> String?

  /// - Parameters:
  ///   - memberships: the content of `/proc/self/cgroup`.
  ///   - read: the content of a file, or nil.
  init(_ memberships: String, read: @escaping (String) -> String?) {
    self.memberships = memberships
    self.read = read
  }

  /// The quota of processor time in whole processors, rounded up; nil when there is none.
  var processors: Int? {
    let quotas =
      folders(of: "").map { read("\($0)/cpu.max") }
      + folders(of: "cpu").map { folder in
        ["quota", "period"].compactMap { read("\(folder)/cpu.cfs_\($0)_us") }.joined(separator: " ")
      }
    return quotas.compactMap(quota).min().map { Int(min($0, 1e6).rounded(.up)) }
  }

  /// The most memory, in bytes; nil when there is no limit.
  var memory: Int? {
    let files =
      folders(of: "").map { "\($0)/memory.max" }
      + folders(of: "memory").map { "\($0)/memory.limit_in_bytes" }
    // The first version of control groups has a number of almost 2^63 for no limit.
    return files.compactMap { read($0).flatMap(number) }.filter { $0 > 0 && $0 < 1e15 }.min()
      .map { Int($0) }
  }

  /// The folders of the process's group and of all groups above it.
  ///
  /// - Parameter controller: a controller of the first version; empty for the second version.
  private func folders(of controller: Substring) -> [String] {
    let root = controller.isEmpty ? "/sys/fs/cgroup" : "/sys/fs/cgroup/\(controller)"
    for line in memberships.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let controllers = fields[1].split(separator: ",", omittingEmptySubsequences: false)
      if controllers.contains(controller) { return ancestors(of: fields[2]).map { root + $0 } }
    }
    return []
  }

  /// `/a/b` gives `/a/b`, `/a` and the root, which is empty.
  private func ancestors(of path: Substring) -> [Substring] {
    var folders: [Substring] = []
    var path = path == "/" ? "" : path
    while let slash = path.lastIndex(of: "/") {
      folders.append(path)
      path = path[..<slash]
    }
    return folders + [""]
  }

  /// Reads a quota and the period that it is for, as in `150000 100000`; `max` and -1 are no quota.
  private func quota(_ text: String?) -> Double? {
    let numbers = (text ?? "").split(whereSeparator: \.isWhitespace).map { number(String($0)) }
    guard numbers.count == 2, let quota = numbers[0], let period = numbers[1], quota > 0,
      period > 0
    else { return nil }
    return quota / period
  }

  private func number(_ text: String) -> Double? {
    Double(text.filter { !$0.isWhitespace })
  }
}
