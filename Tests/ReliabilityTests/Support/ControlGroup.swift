import Foundation
import Glibc

@testable import TestSupport

/// A control group with a limit of memory, of either version (cgroups(7)).
struct ControlGroup {
  static let requirement = "it takes the right to make a control group with a limit of memory"

  static let canBeMade: Bool = {
    guard let group = try? ControlGroup(mebibytes: 64) else { return false }
    group.remove()
    return true
  }()

  let folder: String
  private let version: Version

  private enum Version {
    case v1, v2
  }

  init(mebibytes: Int) throws {
    let top = "/sys/fs/cgroup"
    version = FileManager.default.fileExists(atPath: "\(top)/cgroup.controllers") ? .v2 : .v1
    let name = "counter-test-\(UInt32.random(in: 0...UInt32.max))"
    folder = version == .v2 ? "\(top)/\(name)" : "\(top)/memory/\(name)"
    guard unsafe mkdir(folder, 0o755) == 0 else { throw SocketError(call: "mkdir", code: errno) }
    do {
      try limitMemory(to: "\(mebibytes << 20)")
    } catch {
      remove()
      throw error
    }
  }

  private func limitMemory(to bytes: String) throws {
    switch version {
    case .v2:
      try write(bytes, to: "memory.max")
      try? write("0", to: "memory.swap.max")
    case .v1:
      try write(bytes, to: "memory.limit_in_bytes")
      // The first version counts the buffers of sockets apart.
      try? write(bytes, to: "memory.kmem.tcp.limit_in_bytes")
    }
  }

  /// Removes the group, from which each process must be gone.
  func remove() {
    unsafe rmdir(folder)
  }

  /// How many processes the kernel has killed for want of memory.
  var killCount: Int {
    statistic("oom_kill", in: version == .v2 ? "memory.events" : "memory.oom_control")
  }

  /// Heap, stacks, structures of the kernel and buffers of sockets, in MiB. The rest of what the
  /// group is charged for is file contents, which the kernel drops when it needs the memory.
  var memoryThatCannotBeReclaimed: Double {
    let bytes =
      switch version {
      case .v2:
        ["anon", "kernel", "sock"].map { statistic($0, in: "memory.stat") }.reduce(0, +)
      case .v1:
        statistic("rss", in: "memory.stat") + number(in: "memory.kmem.usage_in_bytes")
          + number(in: "memory.kmem.tcp.usage_in_bytes")
      }
    return Double(bytes) / 1_048_576
  }

  private func write(_ text: String, to file: String) throws {
    let path = "\(folder)/\(file)"
    // Not by FileManager, which may make another file in place of the kernel's.
    guard let handle = FileHandle(forWritingAtPath: path) else {
      throw SocketError(call: "open \(path)", code: errno)
    }
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }

  private func statistic(_ name: String, in file: String) -> Int {
    let line = contents(of: file).split(separator: "\n").first { $0.hasPrefix("\(name) ") }
    return line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
  }

  private func number(in file: String) -> Int {
    Int(contents(of: file).trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
  }

  private func contents(of file: String) -> String {
    (try? String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)) ?? ""
  }
}
