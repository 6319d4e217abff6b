import Foundation
import Synchronization

/// A crowd that visits as fast as it is answered, each visitor on a keep-alive connection.
///
/// It stops when told to, and in any case after `limit`. Who is told `Connection: close` finishes
/// that visit and then comes back on a new connection or stays away.
///
/// A visitor whom the counter leaves without an answer a hundred times stays away, too, unless it
/// is one who knocks again.
final class Visitors: Sendable {
  enum WhenClosed {
    case comeBack
    case stayAway
  }

  enum WhenRefused {
    /// It is a visit that failed.
    case fail
    /// Nobody is there to be visited; it is tried again until somebody is.
    case knockAgain
  }

  private let ports: [UInt16]
  private let whenClosed: WhenClosed
  private let whenRefused: WhenRefused
  private let crowd: Crowd
  private let failures = Atomic(0)
  private let tally = Mutex(Tally())

  /// - Parameter ports: of the counters they visit, dealt out to the visitors in turn.
  init(
    _ count: Int, ports: [UInt16], whenClosed: WhenClosed = .comeBack,
    whenRefused: WhenRefused = .fail, limit: Duration = .seconds(30)
  ) {
    self.ports = ports
    self.whenClosed = whenClosed
    self.whenRefused = whenRefused
    crowd = Crowd(count, limit: limit)
    crowd.start { self.visit(as: $0, port: ports[$0 % ports.count]) }
  }

  /// How many visits were answered with a number so far.
  var answered: Int { crowd.answered }

  /// How many visits failed so far.
  var failed: Int { failures.load(ordering: .relaxed) }

  func waitUntilAnswered(_ count: Int, within limit: Duration = .seconds(20)) throws {
    try waitUntil("\(count) visits are answered", within: limit) { answered >= count }
  }

  /// Waits until so many more are answered than now.
  func waitUntilAnswered(more count: Int, within limit: Duration = .seconds(20)) throws {
    try waitUntilAnswered(answered + count, within: limit)
  }

  /// Waits until each of them was answered with a number once more.
  func waitUntilEveryoneIsAnswered(within limit: Duration = .seconds(20)) throws {
    try crowd.waitUntilEveryoneIsAnswered(within: limit)
  }

  /// Lets everyone finish the visit under way and returns what they saw.
  func stop() throws -> Tally {
    tellToStop()
    return try waitUntilAllLeft()
  }

  /// Lets everyone finish the visit under way and does not wait for that.
  func tellToStop() {
    crowd.tellToStop()
  }

  /// Waits until everyone has left by themselves and returns what they saw.
  func waitUntilAllLeft() throws -> Tally {
    try crowd.waitUntilAllLeft()
    return tally.withLock { $0 }
  }

  private func visit(as index: Int, port: UInt16) {
    var mine = Tally()
    var client: HTTPClient?
    var unanswered = 0
    while !crowd.isOver {
      let began = ContinuousClock.now
      do {
        let connection = try client ?? HTTPClient(port: port, limit: .seconds(20))
        client = connection
        let answered = mine.visits.count
        let closes = try visit(on: connection, noting: &mine, port)
        if mine.visits.count > answered { crowd.noteAnswer(to: index) }
        if closes, whenClosed == .stayAway { break }
        if closes { client = nil }
      } catch SocketError.refused where whenRefused == .knockAgain {
        Thread.sleep(forTimeInterval: 0.005)
      } catch {
        note(Tally.Failure(began: began, reason: "\(error)", port: port), in: &mine)
        client = nil
        unanswered += 1
        if whenClosed == .stayAway || (whenRefused == .fail && unanswered > 100) { break }
      }
    }
    leave(with: mine)
  }

  /// One visit; returns whether the counter closes the connection after it.
  private func visit(
    on connection: HTTPClient, noting mine: inout Tally, _ port: UInt16
  ) throws -> Bool {
    let began = ContinuousClock.now
    let response = try connection.get("/")
    if let number = response.number {
      mine.visits.append(.init(began: began, ended: .now, number: number))
    } else {
      let reason = "\(response.statusLine) \(response.body)"
      note(Tally.Failure(began: began, reason: reason, port: port), in: &mine)
    }
    return response.closes
  }

  private func note(_ failure: Tally.Failure, in mine: inout Tally) {
    mine.failed.append(failure)
    failures.add(1, ordering: .relaxed)
  }

  private func leave(with mine: Tally) {
    tally.withLock {
      $0.visits += mine.visits
      $0.failed += mine.failed
    }
  }
}
