import CLinux
import Glibc

/// The processors that this process can really use: those it may run on, and no more than its
/// control group pays for (cgroups(7)).
enum UsableProcessors {
  /// Their number, at least 1.
  static var count: Int {
    let allowed = max(1, Int(clinux_processor_count()))
    guard let quota = quota(ofGroups: read("/proc/self/cgroup") ?? "", read: read) else {
      return allowed
    }
    return max(1, min(allowed, quota))
  }

  /// The smallest quota on the way from a process's group to the root, in whole processors, rounded
  /// up; nil when there is none.
  ///
  /// - Parameters:
  ///   - groups: what `/proc/self/cgroup` says.
  ///   - read: the content of a file, or nil.
  static func quota(ofGroups groups: String, read: (String) -> String?) -> Int? {
    var quotas: [Double] = []
    for line in groups.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      if fields[1].isEmpty {
        for folder in ancestors(of: fields[2]) {
          let file = read("/sys/fs/cgroup\(folder)/cpu.max")
          if let quota = file.flatMap(quotaOfVersion2) { quotas.append(quota) }
        }
      } else if fields[1].split(separator: ",").contains("cpu") {
        for folder in ancestors(of: fields[2]) {
          let path = "/sys/fs/cgroup/cpu\(folder)/cpu.cfs_"
          let quota = read(path + "quota_us").flatMap(number)
          let period = read(path + "period_us").flatMap(number)
          if let quota, let period, quota > 0, period > 0 { quotas.append(quota / period) }
        }
      }
    }
    return quotas.min().map { Int($0.rounded(.up)) }
  }

  /// `max 100000` or `150000 100000`: a quota and the period it is for, in microseconds.
  private static func quotaOfVersion2(_ text: String) -> Double? {
    let parts = text.split(separator: " ").map(String.init)
    guard parts.count == 2, let quota = number(parts[0]), let period = number(parts[1]),
      period > 0
    else { return nil }
    return quota / period
  }

  private static func number(_ text: String) -> Double? {
    Double(text.filter { !$0.isWhitespace })
  }

  /// `/a/b` gives `/a/b`, `/a` and the root, which is empty.
  private static func ancestors(of path: Substring) -> [Substring] {
    var folders: [Substring] = []
    var path = path == "/" ? "" : path
    while let slash = path.lastIndex(of: "/") {
      folders.append(path)
      path = path[..<slash]
    }
    return folders + [""]
  }

  private static func read(_ path: String) -> String? {
    TextFile.read(path)
  }
}
