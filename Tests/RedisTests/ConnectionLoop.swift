import System
import Testing

@testable import Redis
@testable import TestSupport

/// A connection and its event loop, turned by hand, with a clock that can be put forward.
struct ConnectionLoop: ~Copyable {
  var connection: RedisConnection
  let figures = RedisConnection.Figures()

  /// Emulates a distant server: each event is seen so much later than it came.
  var latency = Interval.seconds(0)

  private let poller: Poller
  private var events = Events()
  private var skipped = Interval.seconds(0)
  private var stopped: Instant?

  /// - Parameter limit: the longest a reply may take; a quarter of it is waited for at first.
  init(
    to url: String, tls files: TLSFiles = TLSFiles(), limit: Interval = .seconds(4),
    greeting: consuming Command = Command(["PING"]), resolver: Resolver? = nil
  ) throws {
    var address = try RedisAddress(url)
    address.tlsFiles = files
    try self.init(to: address, limit: limit, greeting: greeting, resolver: resolver)
  }

  init(
    to address: RedisAddress, limit: Interval = .seconds(4),
    greeting: consuming Command = Command(["PING"]), resolver: Resolver? = nil
  ) throws {
    let poller = try Poller()
    let connection = try RedisConnection(
      to: address, timeoutLimit: limit, poller, owner: 3, figures: figures,
      greeting: greeting, resolver: resolver)
    self.poller = poller
    self.connection = connection
  }

  var now: Instant { (stopped ?? .now) + skipped }

  /// From here on only `skip` puts the clock forward, however long the machine takes.
  mutating func stopClock() { stopped = .now }

  /// How long something is waited for that has to come.
  private let patience = Interval.seconds(30)

  /// The reply to the command that was sent, with its limit of time.
  mutating func nextReply() throws -> Reply {
    let end = Instant.now + patience
    while .now < end {
      if let reply = try turnOnce() { return reply }
    }
    throw NeverHappened(description: "no reply came")
  }

  /// - Returns: the number that the command was answered with, if a reply came.
  mutating func turn() throws -> Int64? {
    guard let reply = try turnOnce() else { return nil }
    return reply.integer
  }

  private mutating func turnOnce() throws -> Reply? {
    try poller.wait(from: .now, until: .now + .milliseconds(2), &events)
    if events.count > 0, latency > .seconds(0) { pass(latency) }
    for index in 0..<events.count { connection.handleEvent(events[index], now) }
    connection.tick(now)
    return connection.nextReply(now)
  }

  mutating func turn(
    until what: Comment, _ condition: (borrowing ConnectionLoop) -> Bool
  ) throws {
    let end = Instant.now + patience
    while .now < end {
      if condition(self) { return }
      _ = try turn()
    }
    Issue.record("never: \(what); error: \(String(describing: connection.error))")
  }

  /// Sends a command, once the connection is ready, and waits for its reply.
  ///
  /// - Parameter others: a command that is pipelined behind it.
  mutating func ask(_ arguments: String..., pipelining others: String...) throws -> Int64? {
    var command = Command(arguments)
    if !others.isEmpty { command.pipeline(Command(others)) }
    try turn(until: "ready") { $0.connection.isReady }
    guard connection.isReady else { return nil }
    connection.send(command, now)
    let end = Instant.now + patience
    while .now < end {
      if let number = try turn() { return number }
    }
    return nil
  }

  /// Has Redis close the connection.
  mutating func loseConnection(_ redis: RedisProcess) throws {
    _ = try redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    try turn(until: "it is lost") { !$0.connection.isReady }
  }

  /// Puts the clock forward at once.
  mutating func skip(_ interval: Interval) throws {
    skipped = skipped + interval
    _ = try turn()
  }

  /// Puts the clock forward to the deadline.
  mutating func skipToDeadline() throws {
    try skip(max(connection.deadline - now, .seconds(0)))
  }

  /// Lets time pass on the clock without an event: each deadline on the way is met when it is due.
  private mutating func pass(_ interval: Interval) {
    let end = now + interval
    while connection.deadline < end {
      skipped = skipped + max(connection.deadline - now, .seconds(0))
      connection.tick(now)
    }
    skipped = skipped + max(end - now, .seconds(0))
  }
}
