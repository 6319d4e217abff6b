@testable import TestSupport

/// A data folder and the private redis-server in it.
struct DataFolder {
  let path: String
  let workingFolder: String
  let redis: PrivateRedis

  init(path: String, workingFolder: String) {
    self.path = path
    self.workingFolder = workingFolder
    redis = PrivateRedis(folder: path)
  }

  /// Lends a counter that keeps its private redis-server here.
  func withCounter<Result>(
    _ flags: [String] = [], _ body: (CounterProcess) throws -> Result
  ) throws -> Result {
    let counter = try CounterProcess(["--data", path] + flags, folder: workingFolder)
    defer { counter.end() }
    try counter.waitUntilReady()
    return try body(counter)
  }
}

/// Lends a data folder (that is not there yet) and the means to start counters on it.
func withDataFolder<Result>(
  named name: String = "data", _ body: (DataFolder) throws -> Result
) throws -> Result {
  try withTemporaryFolder { folder in
    let data = DataFolder(path: "\(folder)/\(name)", workingFolder: folder)
    defer { data.redis.end() }
    return try body(data)
  }
}
