import System

/// Holds events on connections to Redis back for as long as a network would take, there and back.
///
/// All of the round trip's delay is put on the reply's way. Redis cannot tell: with a constant
/// delay, half of it on the command's way would shift everything it sees by a constant.
struct DelayLine {
  private let delay: Interval
  private var held: [(event: Event, release: Instant)] = []
  private var first = 0
  private var isHeld: [Bool]

  init(_ delay: Interval, loops: Int) {
    self.delay = delay
    isHeld = Array(repeating: false, count: loops)
  }

  /// When the event that has been held longest is to be released.
  var deadline: Instant { first < held.count ? held[first].release : .never }

  /// Whether it holds nothing.
  var isEmpty: Bool { first == held.count }

  /// Takes an event. One that is held already is reported by every wait until it is released, and
  /// is taken only once.
  mutating func hold(_ event: Event, of loop: Int, _ now: Instant) {
    guard !isHeld[loop] else { return }
    isHeld[loop] = true
    held.append((event, now + delay))
  }

  /// The next event whose time has come, or nil.
  mutating func release(_ now: Instant) -> Event? {
    guard deadline <= now else { return nil }
    let event = held[first].event
    isHeld[Int(event.token.owner)] = false
    first += 1
    if first == held.count {
      held.removeAll(keepingCapacity: true)
      first = 0
    }
    return event
  }
}
