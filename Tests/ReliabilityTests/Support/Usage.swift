import Foundation
import Glibc

@testable import TestSupport

/// What the kernel says a counter takes of the machine.
extension CounterProcess {
  /// Its memory now, in MiB.
  var residentMemory: Double { memory("VmRSS") }

  /// The most memory it ever took, or has taken since `forgetPeakMemory`, in MiB.
  var peakMemory: Double { memory("VmHWM") }

  /// From here on the peak is counted anew (proc(5), clear_refs).
  func forgetPeakMemory() throws {
    try "5".write(toFile: "/proc/\(id)/clear_refs", atomically: false, encoding: .utf8)
  }

  /// How many files and sockets it has open.
  var openFiles: Int { descriptors.count }

  /// The lowest descriptor that is not in use; a limit of so many leaves none for another.
  var firstFreeDescriptor: Int {
    let used = descriptors
    return (0...).first { !used.contains($0) } ?? 0
  }

  private var descriptors: Set<Int> {
    let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd")
    return Set((names ?? []).compactMap { Int($0) })
  }

  /// How many are open when nobody is connected but Redis: once that has not changed for a while.
  func settledOpenFiles() throws -> Int {
    var (last, since) = (-1, ContinuousClock.now)
    try waitUntil("nobody comes or goes") {
      if openFiles != last { (last, since) = (openFiles, .now) }
      return ContinuousClock.now - since > .milliseconds(300)
    }
    return last
  }

  /// The processor time it has used so far.
  var processorTime: Duration {
    let text = (try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)) ?? ""
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    let hundredths = fields.dropFirst(11).prefix(2).compactMap { Int($0) }.reduce(0, +)
    return .milliseconds(hundredths * 10)
  }

  /// The processor time it uses in a while, as a part of that while.
  func load(over time: Duration) -> Double {
    let (began, used) = (ContinuousClock.now, processorTime)
    Thread.sleep(forTimeInterval: time.seconds)
    return (processorTime - used) / (ContinuousClock.now - began)
  }

  /// Lowers the number of files it may have open, or raises it again (prlimit(1)).
  func limitOpenFiles(to limit: Int, in folder: String) throws {
    let change = try ChildProcess(
      "/usr/bin/prlimit", ["--pid", "\(id)", "--nofile=\(limit):"], environment: [:],
      folder: folder)
    guard try change.waitForExit() == 0 else {
      throw NeverHappened(description: "the limit of open files is changed: \(change.errors)")
    }
  }

  private var id: pid_t { process.id }

  private func memory(_ name: String) -> Double {
    let status = (try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
    let kibibytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap {
      Double($0)
    }
    return (kibibytes ?? 0) / 1024
  }
}
