import Foundation
import Glibc

/// Seconds of processor time, as the kernel counts them in hundredths (proc(5)).
enum ProcessorTime {
  /// What a process has used so far, all its threads together.
  static func used(by process: pid_t) -> Double {
    let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    // The name, in parentheses, may hold anything; utime and stime are the 12th and 13th after it.
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12 else { return 0 }
    return seconds(fields[11...12])
  }

  /// What the whole machine has used so far.
  static func usedByAll() -> Double {
    let text = (try? String(contentsOfFile: "/proc/stat", encoding: .utf8)) ?? ""
    let fields = text.prefix { $0 != "\n" }.split(separator: " ")
    guard fields.count > 8 else { return 0 }
    // user, nice, system; then idle and waiting for disks; then interrupts and stolen time.
    return seconds(fields[1...3]) + seconds(fields[6...8])
  }

  private static func seconds(_ ticks: ArraySlice<Substring>) -> Double {
    ticks.reduce(0) { $0 + (Double($1) ?? 0) } / Double(sysconf(CInt(_SC_CLK_TCK)))
  }
}
