import System
import Synchronization

/// What the main thread and the loops tell each other.
final class Control: Sendable {
  /// How far stopping has got.
  enum Stage: Int, AtomicRepresentable {
    /// Visits are served.
    case serving
    /// What is in flight is answered, and nothing new is accepted.
    case draining
    /// Everything is dropped at once.
    case aborting
  }

  private let current = Atomic(Stage.serving)
  private let limit = Atomic<Int64>(.max)
  private let connectionsCutOff = Atomic(0)
  private let firstFailure = Mutex<SystemError?>(nil)
  private let loopsRunning: Atomic<Int>
  private let wakeups: [Wakeup]

  /// Rung when a loop has ended.
  let loopEnded: Wakeup

  init(loops: Int) throws(SystemError) {
    loopsRunning = Atomic(loops)
    loopEnded = try Wakeup()
    var wakeups: [Wakeup] = []
    for _ in 0..<loops { wakeups.append(try Wakeup()) }
    self.wakeups = wakeups
  }

  /// How far stopping has got.
  var stage: Stage { current.load(ordering: .acquiring) }

  /// When draining must be over.
  var drainDeadline: Instant { Instant(nanoseconds: limit.load(ordering: .acquiring)) }

  /// What wakes a loop when the stage changes.
  func wakeup(ofLoop number: Int) -> Wakeup { wakeups[number] }

  /// Whether every loop has ended.
  var isOver: Bool { loopsRunning.load(ordering: .acquiring) == 0 }

  /// How many connections were closed with something still to be answered.
  var cutOff: Int { connectionsCutOff.load(ordering: .acquiring) }

  /// Begins to drain.
  func drain(until deadline: Instant) {
    limit.store(deadline.nanoseconds, ordering: .releasing)
    advance(to: .draining)
  }

  /// Ends the loops as they are.
  func abort() { advance(to: .aborting) }

  /// What made a loop end before it was asked to, if anything did.
  var failure: SystemError? { firstFailure.withLock { $0 } }

  /// Notes that a loop has ended as it was asked to.
  func end(cutOff connections: Int) {
    connectionsCutOff.add(connections, ordering: .relaxed)
    end()
  }

  /// Notes that a loop could not go on, and ends the others.
  func end(failed error: SystemError) {
    firstFailure.withLock { $0 = $0 ?? error }
    abort()
    end()
  }

  private func end() {
    loopsRunning.subtract(1, ordering: .acquiringAndReleasing)
    loopEnded.ring()
  }

  private func advance(to stage: Stage) {
    current.store(stage, ordering: .releasing)
    for wakeup in wakeups { wakeup.ring() }
  }
}
