import System
import Redis
import Synchronization

/// The part of a run that one thread emulates.
struct GroupPlan: Sendable {
  let loops: Int

  /// Visits a second at these loops together.
  let rate: Double

  /// The network's part of a round trip.
  let delay: Interval
  let seed: UInt64

  /// What the group's alarm goes off with.
  let signal: CInt
  let signals: Signals
}

/// What the threads of one run share: when it starts, whether it is over early, what came of it.
final class Run: Sendable {
  let location: RedisAddress
  let key = "hits"
  private let warmUp: Interval
  private let duration: Interval
  private let startTime = Atomic<Int64>(0)
  private let aborted = Atomic<Bool>(false)
  private let readyGroups = Atomic<Int>(0)
  private let results = Mutex<[Result<Tally, SystemError>]>([])

  init(_ location: RedisAddress, warmUp: Interval, duration: Interval) {
    self.location = location
    self.warmUp = warmUp
    self.duration = duration
  }

  /// When the first visit may come; nil while not all loops are connected.
  var start: Instant? {
    let start = startTime.load(ordering: .acquiring)
    return start == 0 ? nil : Instant(nanoseconds: start)
  }

  func begin(at start: Instant) {
    startTime.store(start.nanoseconds, ordering: .releasing)
  }

  var isAborted: Bool { aborted.load(ordering: .relaxed) }

  func abort() {
    aborted.store(true, ordering: .relaxed)
  }

  var groupsReady: Int { readyGroups.load(ordering: .acquiring) }

  func groupIsReady() {
    readyGroups.add(1, ordering: .releasing)
  }

  /// The moments between which visits are measured.
  func window(from start: Instant) -> Range<Instant> {
    start + warmUp..<start + warmUp + duration
  }

  /// When the last visit comes: a little after the window, so that its end is like its middle.
  func end(from start: Instant) -> Instant {
    start + warmUp + duration + .milliseconds(100)
  }

  /// What the groups that are over came to.
  var finished: [Result<Tally, SystemError>] { results.withLock { $0 } }

  func finish(_ result: Result<Tally, SystemError>) {
    if case .failure = result { abort() }
    results.withLock { $0.append(result) }
  }
}
