import Foundation
import Synchronization

@testable import TestSupport

/// A crowd that visits as fast as it is answered, each visitor on a keep-alive connection.
///
/// It stops when told to, and in any case after `limit`. Who is told `Connection: close` finishes
/// that visit and then comes back on a new connection or stays away.
final class Visitors: Sendable {
  enum WhenClosed {
    case comeBack
    case stayAway
  }

  private let ports: [UInt16]
  private let whenClosed: WhenClosed
  private let end: ContinuousClock.Instant
  private let toldToStop = Atomic(false)
  private let answers = Atomic(0)
  private let left = Atomic(0)
  private let count: Int
  private let tally = Mutex(Tally())

  /// - Parameter ports: of the counters they visit, dealt out to the visitors in turn.
  init(
    _ count: Int, ports: [UInt16], whenClosed: WhenClosed = .comeBack,
    limit: Duration = .seconds(30)
  ) {
    self.count = count
    self.ports = ports
    self.whenClosed = whenClosed
    end = ContinuousClock.now + limit
    for index in 0..<count {
      Thread { self.visit(port: ports[index % ports.count]) }.start()
    }
  }

  /// How many visits were answered with a number so far.
  var answered: Int { answers.load(ordering: .relaxed) }

  func waitUntilAnswered(_ count: Int, within limit: Duration = .seconds(20)) throws {
    try waitUntil("\(count) visits are answered", within: limit) { answered >= count }
  }

  /// Waits until so many more are answered than now.
  func waitUntilAnswered(more count: Int, within limit: Duration = .seconds(20)) throws {
    try waitUntilAnswered(answered + count, within: limit)
  }

  /// Lets everyone finish the visit under way and returns what they saw.
  func stop() throws -> Tally {
    toldToStop.store(true, ordering: .relaxed)
    return try waitUntilAllLeft()
  }

  /// Waits until everyone has left by themselves and returns what they saw.
  func waitUntilAllLeft() throws -> Tally {
    try waitUntil("all visitors have left", within: .seconds(40)) {
      left.load(ordering: .acquiring) == count
    }
    return tally.withLock { $0 }
  }

  private func visit(port: UInt16) {
    var mine = Tally()
    var client: HTTPClient?
    while !toldToStop.load(ordering: .relaxed), ContinuousClock.now < end {
      do {
        let connection = try client ?? HTTPClient(port: port, limit: .seconds(20))
        client = connection
        let closes = try visit(on: connection, noting: &mine)
        if closes, whenClosed == .stayAway { break }
        if closes { client = nil }
      } catch {
        mine.failures.append("\(error)")
        client = nil
        if mine.failures.count > 100 || whenClosed == .stayAway { break }
      }
    }
    leave(with: mine)
  }

  /// One visit; returns whether the counter closes the connection after it.
  private func visit(on connection: HTTPClient, noting mine: inout Tally) throws -> Bool {
    let began = ContinuousClock.now
    let response = try connection.get("/")
    if let number = response.number {
      mine.visits.append(.init(began: began, ended: .now, number: number))
      answers.add(1, ordering: .relaxed)
    } else {
      mine.failures.append("\(response.statusLine) \(response.body)")
    }
    return response.closes
  }

  private func leave(with mine: Tally) {
    tally.withLock {
      $0.visits += mine.visits
      $0.failures += mine.failures
    }
    left.add(1, ordering: .releasing)
  }
}
