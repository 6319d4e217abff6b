import Glibc

/// How many files and sockets the process may have open, and what that leaves for connections.
struct OpenFiles {
  /// What the kernel allows.
  let limit: Int

  /// Raises the soft limit to the hard one: 1024, the soft limit of many systems, is there for the
  /// sake of programs that use select(2).
  static func raised() -> OpenFiles {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    // Sound: the kernel fills in, then reads, the one value.
    unsafe getrlimit(resource, &limit)
    limit.rlim_cur = limit.rlim_max
    unsafe setrlimit(resource, &limit)
    unsafe getrlimit(resource, &limit)
    return OpenFiles(limit: Int(clamping: limit.rlim_cur))
  }

  /// What is kept from visitors: for standard error, signals, the private redis-server and those who
  /// read the metrics, and for each loop its listener, its connection to Redis, the lookup of a name and more.
  static func reserve(loops: Int) -> Int { 32 + 8 * loops }

  /// How many connections there may be: as many as were asked for, or as there is room for.
  func connections(_ wanted: Int?, loops: Int) throws(Application.Failure) -> Int {
    let room = limit - Self.reserve(loops: loops)
    guard room >= loops else {
      throw .unavailable(
        "a limit of \(limit) open files leaves no room for connections (ulimit -n)")
    }
    guard let wanted else { return room }
    guard wanted <= room else {
      throw .unavailable(
        """
        \(wanted) connections take more than the limit of \(limit) open files, \(room) fit (ulimit -n)
        """)
    }
    return wanted
  }

  /// A loop's part of a number of connections; the parts differ by one at most.
  static func share(ofLoop number: Int, of loops: Int, in connections: Int) -> Int {
    connections / loops + (number < connections % loops ? 1 : 0)
  }
}
