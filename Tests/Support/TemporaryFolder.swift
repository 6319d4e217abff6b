import Foundation

/// A folder of a test's own; its path is short enough for a unix socket in it.
struct TemporaryFolder {
  let path: String

  init() throws {
    let name = "counter-test-\(UInt32.random(in: 0...UInt32.max))"
    path = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  func remove() {
    try? FileManager.default.removeItem(atPath: path)
  }
}

/// Lends a folder that is removed whatever happens.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = try TemporaryFolder()
  defer { folder.remove() }
  return try body(folder.path)
}
