import System

/// The counters that the streams of an event loop watch. A counter is in the table while it has a stream, or is
/// being read.
struct WatchedCounters: ~Copyable {
  var entries: [Entry] = []
  private var free: [Int] = []
  private var indices: [[UInt8]: Int] = [:]

  /// A watched counter, or a free place for one.
  struct Entry {
    /// Empty for the counter of `/`.
    let name: [UInt8]

    /// What was read last.
    var event = StreamEvent.none

    /// When the last reading began.
    var readAt = Instant(nanoseconds: 0)
    var isReading = false

    /// Whether some of its streams have not got the event.
    var isBehind = false

    /// The first of the list of its streams; -1 for none.
    var firstStream: Int32 = -1

    /// Whether the counter has to be read.
    func isDue(_ now: Instant) -> Bool {
      firstStream >= 0 && !isReading && readAt + LiveStreams.interval <= now
    }

    /// Whether the event is as good as one that is read now.
    func isFresh(_ now: Instant) -> Bool {
      event != .none && now < readAt + LiveStreams.interval
    }
  }

  /// The entry of a counter, which is added if it is not there.
  mutating func find(_ name: [UInt8]) -> Int {
    if let index = indices[name] { return index }
    let entry = Entry(name: name)
    let index = free.popLast() ?? entries.count
    if index == entries.count { entries.append(entry) } else { entries[index] = entry }
    indices[name] = index
    return index
  }

  /// Removes a counter without streams.
  mutating func remove(_ index: Int) {
    indices[entries[index].name] = nil
    entries[index] = Entry(name: [])
    free.append(index)
  }
}
