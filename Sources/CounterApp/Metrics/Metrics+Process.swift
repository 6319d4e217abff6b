import System
import CLinux
import Glibc

extension Metrics {
  /// Describes the figures that the kernel has of this process (proc(5)), named as in Prometheus's own
  /// libraries.
  ///
  /// - Parameter start: when the process started, in seconds since 1970.
  func describeProcess(_ page: inout Exposition, _ start: Int) {
    var usage = rusage()
    var limit = rlimit()
    // Sound: each call fills in the one value it is handed.
    unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    let pages = TextFile.read("/proc/self/statm")?.split(separator: " ").dropFirst().first
    let residentMemory = (pages.flatMap { Int($0) } ?? 0) &* sysconf(CInt(_SC_PAGESIZE))
    page.counter(
      "process_cpu_seconds_total", "Processor time, of user and kernel.",
      Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime))
    page.gauge("process_resident_memory_bytes", "Resident memory.", residentMemory)
    // One descriptor is opened to count them.
    page.gauge(
      "process_open_fds", "Open descriptors.", max(0, Self.entries(of: "/proc/self/fd") - 1))
    page.gauge("process_max_fds", "The most descriptors that may be open.", UInt64(limit.rlim_cur))
    page.gauge(
      "process_start_time_seconds", "When the program started, in seconds since 1970.", start)
  }

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1e6
  }

  /// How many files a folder holds.
  private static func entries(of path: String) -> Int {
    guard let folder = unsafe opendir(path) else { return 0 }
    // Sound: the folder is open until it is closed here, and an entry is not kept.
    defer { unsafe closedir(folder) }
    var count = 0
    while let entry = unsafe readdir(folder) {
      // `.` and `..` are no files of it.
      if unsafe entry.pointee.d_name.0 != 0x2E { count += 1 }
    }
    return count
  }
}
