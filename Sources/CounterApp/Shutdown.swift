import Synchronization
import System

/// The state of a stop, shared by the main thread and the event loops.
final class Shutdown: Sendable {
  /// How far the stop has got.
  enum Stage: Int, AtomicRepresentable {
    /// Visits are served.
    case serving
    /// Visits are served, and clients are told to look elsewhere: `/ready` answers 503, and each
    /// response closes its connection.
    case leaving
    /// Requests that have arrived are answered, and no new connection is accepted.
    case draining
    /// Event loops end at once, and close their connections.
    case aborting
  }

  private let current = Atomic(Stage.serving)
  private let limit = Atomic<Int64>(.max)
  private let connectionsCutOff = Atomic(0)
  private let firstFailure = Mutex<SystemError?>(nil)
  private let loopsRunning: Atomic<Int>
  private let wakeups: [Wakeup]

  /// Rung when an event loop, or the writer of a log, has ended.
  let partEnded: Wakeup

  init(loops: Int) throws(SystemError) {
    loopsRunning = Atomic(loops)
    partEnded = try Wakeup()
    var wakeups: [Wakeup] = []
    for _ in 0..<loops { wakeups.append(try Wakeup()) }
    self.wakeups = wakeups
  }

  var stage: Stage { current.load(ordering: .acquiring) }

  /// When the drain must be over.
  var drainDeadline: Instant { Instant(nanoseconds: limit.load(ordering: .acquiring)) }

  /// Wakes an event loop when the stage changes.
  func wakeup(ofLoop number: Int) -> Wakeup { wakeups[number] }

  /// Whether every event loop has ended.
  var isOver: Bool { loopsRunning.load(ordering: .acquiring) == 0 }

  /// How many connections were closed with requests that were not answered.
  var cutOff: Int { connectionsCutOff.load(ordering: .acquiring) }

  /// The error that ended an event loop before it was told to end, if there was one.
  var failure: SystemError? { firstFailure.withLock { $0 } }

  /// Tells clients to look elsewhere.
  func leave() { advance(to: .leaving) }

  func drain(until deadline: Instant) {
    limit.store(deadline.nanoseconds, ordering: .releasing)
    advance(to: .draining)
  }

  /// Ends the event loops at once.
  func abort() { advance(to: .aborting) }

  /// Records that an event loop has ended: after how many connections were cut off, or because of an
  /// error, which ends the other loops as well.
  func recordEnd(_ result: Result<Int, SystemError>) {
    switch result {
    case .success(let cutOff):
      connectionsCutOff.add(cutOff, ordering: .relaxed)
    case .failure(let error):
      firstFailure.withLock { $0 = $0 ?? error }
      abort()
    }
    loopsRunning.subtract(1, ordering: .acquiringAndReleasing)
    partEnded.ring()
  }

  /// Goes on to a stage, never back: another thread may have gone further.
  private func advance(to stage: Stage) {
    var reached = self.stage
    while reached.rawValue < stage.rawValue {
      reached =
        current.compareExchange(
          expected: reached, desired: stage, ordering: .acquiringAndReleasing
        ).original
    }
    for wakeup in wakeups { wakeup.ring() }
  }
}
