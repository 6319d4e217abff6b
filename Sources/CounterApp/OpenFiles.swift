import Glibc

/// How many files and sockets the process may have open, and how many of them are for connections.
struct OpenFiles {
  /// The limit that the kernel sets.
  let limit: Int

  /// Raises the soft limit to the hard one. Many systems have a soft limit of 1024 for programs
  /// that use select(2), which this one does not.
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

  /// The files that are kept for other things than clients: standard error, signals, the private
  /// redis-server, clients of the metrics, and for each event loop its listener, its connection to
  /// Redis, the look-up of a name and more.
  static func reserve(loops: Int) -> Int { 32 + 8 * loops }

  /// How many connections there may be.
  ///
  /// - Parameters:
  ///   - wanted: the number that was set; nil for as many as fit.
  ///   - budget: the limit of memory. A number that was set may exceed it.
  func connections(
    _ wanted: Int?, in budget: MemoryBudget?, loops: Int
  ) throws(Application.Failure) -> Int {
    let room = limit - Self.reserve(loops: loops)
    guard room >= loops else {
      throw Application.Failure(
        "a limit of \(limit) open files leaves no room for connections (ulimit -n)")
    }
    guard let wanted else { return min(room, budget?.connections ?? room) }
    guard wanted <= room else {
      throw Application.Failure(
        """
        \(wanted) connections take more than the limit of \(limit) open files, \(room) fit (ulimit -n)
        """)
    }
    return wanted
  }

  /// How many of the connections may be streams. Each event loop keeps at least one connection for other
  /// requests.
  ///
  /// - Parameter wanted: the number that was set; nil for half of the connections, up to 10,000.
  static func streams(
    _ wanted: Int?, of connections: Int, loops: Int
  ) throws(Application.Failure) -> Int {
    guard let wanted else { return min(10_000, connections / 2) }
    guard wanted <= connections - loops else {
      throw Application.Failure(
        """
        \(wanted) streams take more than the \(connections) connections, \(connections - loops) fit \
        beside other requests
        """)
    }
    return wanted
  }

  /// An event loop's part of a number of connections; the parts differ by one at most.
  static func share(ofLoop number: Int, of loops: Int, in connections: Int) -> Int {
    connections / loops + (number < connections % loops ? 1 : 0)
  }
}
