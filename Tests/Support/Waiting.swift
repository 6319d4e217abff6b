import Foundation
import Synchronization

/// What the counter under test was built with, if anything.
let sanitizer = ProcessInfo.processInfo.environment["SANITIZER"]

/// The longest that something may take: a sanitizer makes everything slower.
func withSlack(_ longest: Duration) -> Duration { sanitizer == nil ? longest : longest * 4 }

/// Waits until `condition` holds and throws when it does not within the limit.
func waitUntil(
  _ what: String, within limit: Duration = .seconds(10), _ condition: () throws -> Bool
) throws {
  let end = ContinuousClock.now + withSlack(limit)
  while try !condition() {
    guard ContinuousClock.now < end else {
      throw NeverHappened(description: "not within \(limit): \(what)")
    }
    Thread.sleep(forTimeInterval: 0.005)
  }
}

/// Runs `body` on a thread for each index at the same time and returns the results by index.
func inParallel<Result: Sendable>(
  _ count: Int, within limit: Duration = .seconds(60),
  _ body: @escaping @Sendable (Int) throws -> Result
) throws -> [Result] {
  let results = Collected<Result>()
  for index in 0..<count {
    Thread {
      results.set(Swift.Result { try body(index) }, at: index)
    }.start()
  }
  try waitUntil("all \(count) threads are done", within: limit) { results.count == count }
  return try results.inOrder()
}

private final class Collected<Value: Sendable>: Sendable {
  private let results = Mutex<[Int: Result<Value, any Error>]>([:])

  var count: Int { results.withLock(\.count) }

  func set(_ result: Result<Value, any Error>, at index: Int) {
    results.withLock { $0[index] = result }
  }

  func inOrder() throws -> [Value] {
    let results = results.withLock { $0 }
    return try results.sorted { $0.key < $1.key }.map { try $0.value.get() }
  }
}
