import Glibc

/// The figures that the kernel has of this process (proc(5)), named as in Prometheus's own
/// libraries.
struct ProcessFigures {
  /// Processor time in user and kernel mode, in seconds (getrusage(2)).
  let processorTime: Double
  /// Resident memory, in bytes.
  let residentMemory: Int
  /// How many descriptors are open, without the one that is opened to count them.
  let openDescriptors: Int
  /// How many descriptors may be open.
  let mostDescriptors: UInt64

  /// Reads the figures.
  init() {
    var usage = rusage()
    var limit = rlimit()
    // Sound: each call fills in the one value it is handed.
    unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    processorTime = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
    mostDescriptors = UInt64(limit.rlim_cur)
    let pages = TextFile.read("/proc/self/statm")?.split(separator: " ").dropFirst().first
    residentMemory = (pages.flatMap { Int($0) } ?? 0) &* sysconf(CInt(_SC_PAGESIZE))
    openDescriptors = max(0, Self.entries(of: "/proc/self/fd") - 1)
  }

  /// The time since 1970, in seconds.
  static var wallClock: Double {
    var time = timespec()
    // Sound: the call fills in the one value it is handed.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
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
