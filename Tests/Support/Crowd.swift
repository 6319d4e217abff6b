import Foundation
import Synchronization

/// Threads that each send requests until they are told to stop, and in any case until a limit.
final class Crowd: Sendable {
  private let count: Int
  private let end: ContinuousClock.Instant
  private let toldToStop = Atomic(false)
  private let answers = Atomic(0)
  private let left = Atomic(0)
  private let unheard = Mutex<Set<Int>>([])

  init(_ count: Int, limit: Duration) {
    self.count = count
    end = ContinuousClock.now + limit
  }

  /// Starts the threads. Each leaves by returning from `body`, which is called with its index.
  func start(_ body: @escaping @Sendable (Int) -> Void) {
    for index in 0..<count {
      Thread {
        body(index)
        self.left.add(1, ordering: .releasing)
      }.start()
    }
  }

  /// Whether everyone has to leave.
  var isOver: Bool { toldToStop.load(ordering: .relaxed) || ContinuousClock.now >= end }

  /// How many requests were answered so far.
  var answered: Int { answers.load(ordering: .relaxed) }

  /// Notes that a request of a thread was answered.
  func noteAnswer(to index: Int) {
    answers.add(1, ordering: .relaxed)
    unheard.withLock { _ = $0.remove(index) }
  }

  /// Waits until each of them was answered once more.
  func waitUntilEveryoneIsAnswered(within limit: Duration) throws {
    unheard.withLock { $0 = Set(0..<count) }
    try waitUntil("every visitor is answered", within: limit) { unheard.withLock(\.isEmpty) }
  }

  /// Lets everyone finish the request under way and does not wait for that.
  func tellToStop() {
    toldToStop.store(true, ordering: .relaxed)
  }

  func waitUntilAllLeft() throws {
    try waitUntil("all visitors have left", within: .seconds(40)) {
      left.load(ordering: .acquiring) == count
    }
  }
}
