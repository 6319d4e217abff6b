import BasicContainers
import Counting
import HTTP
import System
import Telemetry

/// The streams of an event loop, and the counters that they watch.
///
/// Four times a second each watched counter is read, once for all of its streams, with the batches that count.
/// A stream gets an event when it has not got the number yet. A stream whose client does not read is left out,
/// and gets the newest number later. While nothing changes a stream costs nothing but a comment in 15 s.
struct LiveStreams: ~Copyable {
  private let most: Int
  private let figures: LoopFigures
  private let head = ResponseHead(
    .ok,
    [
      ("Content-Type", "text/event-stream"), ResponseHead.anyOrigin,
      // Proxies hand on each event at once: they neither keep, compress nor buffer it.
      ("Cache-Control", "no-cache, no-store, no-transform, max-age=0, must-revalidate"),
      ("X-Accel-Buffering", "no"),
    ])

  private var streams = UniqueArray<Stream>()
  private var freeStreams = UniqueArray<Int32>()
  private var counters = WatchedCounters()
  private var readsInFlight = 0
  private var isDraining = false
  private var now = Instant.now

  /// The tick within 15 s, and the counter that the last one has read last.
  private var tick = 0
  private var cursor = 0

  /// When watched counters are read next; never without streams.
  private(set) var deadline = Instant.never

  /// An open stream, or a free place for one.
  struct Stream {
    let exchange: Exchange
    /// The watched counter; -1 for a free place.
    var counter: Int32
    /// The streams of the same counter before and behind this one; -1 for none.
    var previous: Int32
    var next: Int32
    var sent = StreamEvent.none
  }

  /// The time between two readings of a counter, and two events of a stream.
  static var interval: Interval { .milliseconds(250) }

  /// How many ticks lie between two comments on a stream: 15 s.
  private static var commentTicks: Int { 60 }

  /// How many counters are read with a tick, and how many readings wait at most. More watched counters than
  /// that are read in turn, so that they leave room for the visits.
  private static var mostReads: Int { 1024 }

  /// - Parameter most: how many streams may be open.
  init(most: Int, _ figures: LoopFigures) {
    self.most = most
    self.figures = figures
  }

  /// How many streams are open.
  private var count: Int { streams.count - freeStreams.count }
}

// MARK: - A round

extension LiveStreams {
  /// Begins a round.
  mutating func beginRound(_ now: Instant) { self.now = now }

  /// Reads the watched counters when they are due, and writes the comments that are due. The outcomes come
  /// to `handleOutcome`.
  mutating func readIfDue(_ server: inout Server, _ counting: inout GroupCommit) {
    guard deadline != .never else { return }
    removeEnded(&server)
    guard now >= deadline else { return }
    deadline = now + Self.interval
    tick = (tick + 1) % Self.commentTicks
    let comment = StreamEvent.comment
    var index = tick
    while index < streams.count {
      if streams[index].counter >= 0 {
        _ = server.write(streams[index].exchange, comment.span)
      }
      index += Self.commentTicks
    }
    readCounters(&server, &counting)
  }

  private mutating func readCounters(_ server: inout Server, _ counting: inout GroupCommit) {
    var reads = 0
    for _ in 0..<counters.entries.count {
      guard reads < Self.mostReads, readsInFlight < Self.mostReads else { return }
      cursor = (cursor + 1) % counters.entries.count
      guard counters.entries[cursor].isDue(now) else { continue }
      read(cursor, &server, &counting)
      reads += 1
    }
  }

  /// Reads a counter. Only one reading of it is in flight.
  private mutating func read(
    _ index: Int, _ server: inout Server, _ counting: inout GroupCommit
  ) {
    let ticket = AnswerTicket(watched: index).ticket
    let name = counters.entries[index].name
    counters.entries[index].readAt = now
    counters.entries[index].isReading = true
    readsInFlight += 1
    let isWaiting =
      name.isEmpty ? counting.readHits(ticket) : counting.visit(ticket, name.span, .read)
    if !isWaiting { handleOutcome(.unavailable, index, &server) }
  }

  /// Sends the number of a counter that was read to the streams that have not got it.
  mutating func handleOutcome(
    _ result: Outcome.Result, _ index: Int, _ server: inout Server
  ) {
    readsInFlight -= 1
    counters.entries[index].isReading = false
    guard counters.entries[index].firstStream >= 0 else { return counters.remove(index) }
    let event = StreamEvent(result)
    guard event != counters.entries[index].event || counters.entries[index].isBehind else { return }
    counters.entries[index].event = event
    show(index, &server)
  }

  /// Sends the event of a counter to the streams that have not got it.
  private mutating func show(_ counter: Int, _ server: inout Server) {
    let bytes = counters.entries[counter].event.bytes
    counters.entries[counter].isBehind = false
    var index = counters.entries[counter].firstStream
    while index >= 0 {
      let stream = Int(index)
      index = streams[stream].next
      if streams[stream].sent != counters.entries[counter].event {
        send(bytes.span, to: stream, &server)
      }
    }
  }

  /// - Parameter event: that of the stream's counter.
  private mutating func send(_ event: Span<UInt8>, to stream: Int, _ server: inout Server) {
    let counter = Int(streams[stream].counter)
    switch server.write(streams[stream].exchange, event) {
    case .written:
      streams[stream].sent = counters.entries[counter].event
      figures.streamEvents.add(1)
    case .busy: counters.entries[counter].isBehind = true
    case .ended: break
    }
  }
}

// MARK: - The life of a stream

extension LiveStreams {
  /// Begins a stream, or responds that there are too many.
  ///
  /// - Parameter name: of the counter; empty for that of `/`.
  mutating func begin(
    _ exchange: Exchange, _ name: [UInt8], _ server: inout Server, _ counting: inout GroupCommit
  ) {
    removeEnded(&server)
    guard count < most else {
      figures.streamsRefused.add(1)
      let problem = Problem.tooManyStreams
      server.respond(
        exchange, ResponseHead.problem(problem.status, problem.fields), problem.body)
      return
    }
    let index = takePlace(Stream(exchange: exchange, counter: -1, previous: -1, next: -1))
    guard server.beginStream(exchange, head, tag: UInt32(index)) else {
      return freeStreams.append(Int32(index))
    }
    let counter = counters.find(name)
    link(index, to: counter)
    if isDraining { return end(index, &server) }
    if deadline == .never { deadline = now + Self.interval }
    // A stream that comes within the interval shares the reading before it.
    if counters.entries[counter].isFresh(now) {
      let event = counters.entries[counter].event.bytes
      return send(event.span, to: index, &server)
    }
    counters.entries[counter].isBehind = true
    if !counters.entries[counter].isReading { read(counter, &server, &counting) }
  }

  /// Ends all streams, and each that begins from now on. Each client is told another time at which to come
  /// back.
  mutating func drain(_ server: inout Server) {
    isDraining = true
    for index in 0..<streams.count where streams[index].counter >= 0 { end(index, &server) }
  }

  private mutating func end(_ index: Int, _ server: inout Server) {
    let retry = StreamEvent.retry(milliseconds: Int.random(in: 1000...5000))
    if server.endStream(streams[index].exchange, retry.span) { remove(index) }
  }

  /// Removes the streams whose clients have left.
  private mutating func removeEnded(_ server: inout Server) {
    while let tag = server.nextEndedStream() { remove(Int(tag)) }
  }

  private mutating func remove(_ index: Int) {
    unlink(index)
    streams[index].counter = -1
    freeStreams.append(Int32(index))
    if count == 0 { deadline = .never }
  }

  private mutating func takePlace(_ stream: Stream) -> Int {
    guard let free = freeStreams.popLast() else {
      streams.append(stream)
      return streams.count - 1
    }
    streams[Int(free)] = stream
    return Int(free)
  }

  private mutating func link(_ index: Int, to counter: Int) {
    let next = counters.entries[counter].firstStream
    streams[index].counter = Int32(counter)
    streams[index].next = next
    if next >= 0 { streams[Int(next)].previous = Int32(index) }
    counters.entries[counter].firstStream = Int32(index)
  }

  private mutating func unlink(_ index: Int) {
    let stream = streams[index]
    if stream.next >= 0 { streams[Int(stream.next)].previous = stream.previous }
    if stream.previous >= 0 {
      streams[Int(stream.previous)].next = stream.next
    } else {
      let counter = Int(stream.counter)
      counters.entries[counter].firstStream = stream.next
      // A counter that is being read is removed with the outcome.
      if stream.next < 0, !counters.entries[counter].isReading { counters.remove(counter) }
    }
  }
}
