import Testing

@testable import TestSupport

/// Made-up histories: would a fault of the counter be found?
@Suite("The check of a history")
struct FindingsTests {
  private static let start = ContinuousClock.now

  /// - Parameters:
  ///   - visits: each with the seconds at which it began and ended, and its number.
  ///   - failures: the seconds at which visits began that failed.
  private func findings(
    _ visits: [(Double, Double, Int64)], failures: [Double] = [], count: Int64, start: Int64 = 0
  ) -> Findings {
    var tally = Tally()
    tally.visits = visits.map { began, ended, number in
      .init(began: time(began), ended: time(ended), number: number)
    }
    tally.failed = failures.map { .init(began: time($0), reason: "503", port: 0) }
    return Findings(tally, count: count, start: start)
  }

  private func time(_ seconds: Double) -> ContinuousClock.Instant {
    Self.start + .seconds(seconds)
  }

  @Test("finds nothing in a history that is exact")
  func exact() {
    let inTurn = findings([(0, 1, 1), (2, 3, 2), (4, 5, 3)], count: 3)
    #expect(inTurn.isExact && inTurn.isExactWhereAnswered)
    // Visits that overlap may get their numbers in any order.
    #expect(findings([(0, 5, 3), (1, 4, 1), (2, 3, 2)], count: 3).isExact)
    #expect(findings([(0, 1, 42), (2, 3, 43)], count: 43, start: 41).isExact)
    #expect(findings([], count: 0).isExact)
  }

  @Test("finds a number that two visits got")
  func doubled() {
    let found = findings([(0, 3, 1), (0, 3, 2), (0, 3, 2)], count: 3)
    #expect(found.doubled == 1)
    #expect(!found.isExactWhereAnswered)
    #expect(findings([(0, 1, 1), (0, 1, 1), (0, 1, 1)], count: 3).doubled == 2)
  }

  @Test("finds a number that was skipped, wherever it is")
  func skipped() {
    #expect(findings([(0, 1, 1), (2, 3, 3)], count: 3).skipped == 1)
    #expect(findings([(0, 1, 3), (2, 3, 4)], count: 4).skipped == 2)
    let above = findings([(0, 1, 1), (2, 3, 2)], count: 4)
    #expect(above.skipped == 2)
    #expect(!above.isExact && !above.isExactWhereAnswered)
    #expect(findings([], count: .max).skipped == .max)
  }

  @Test("puts a number that is missing down to a visit that failed, to each at most one")
  func accounted() {
    let found = findings([(0, 1, 1), (2, 3, 3)], failures: [0.5], count: 3)
    #expect(found.skipped == 0)
    #expect(found.isExactWhereAnswered && !found.isExact)
    #expect(findings([(0, 1, 1), (2, 3, 4)], failures: [0.5], count: 4).skipped == 1)
    #expect(findings([(0, 1, 1)], failures: [0, 9], count: 3).skipped == 0)
    #expect(findings([(0, 1, 1)], failures: [0, 9], count: 4).skipped == 1)
  }

  @Test("does not put it down to a visit that began when a larger one was answered already")
  func accountedTooLate() {
    #expect(findings([(0, 1, 1), (2, 3, 3)], failures: [3.5], count: 3).skipped == 1)
    // The first of two visits that failed was there for both numbers, the second for one of them.
    let visits: [(Double, Double, Int64)] = [(0, 1, 2), (2, 3, 4)]
    #expect(findings(visits, failures: [0.5, 2.5], count: 4).skipped == 0)
    #expect(findings(visits, failures: [1.5, 2.5], count: 4).skipped == 1)
  }

  @Test("finds a visit that got a smaller number than one answered before, also of others")
  func outOfOrder() {
    let found = findings([(0, 1, 2), (2, 3, 1)], count: 2)
    #expect(found.outOfOrder == 1)
    #expect(!found.isExactWhereAnswered)
    // A visit that took long in between hides nothing.
    #expect(findings([(0, 1, 3), (0.5, 9, 1), (2, 3, 2)], count: 3).outOfOrder == 1)
    // Its answer came when the other had begun already.
    #expect(findings([(0, 2.5, 2), (2, 3, 1)], count: 2).outOfOrder == 0)
  }

  @Test("finds a count that is higher than what the visits can have added")
  func tooHigh() {
    let found = findings([(0, 1, 1), (2, 3, 2)], failures: [0], count: 4)
    #expect(found.skipped == 1)
    #expect(!found.isExactWhereAnswered)
  }

  @Test("finds a count that forgets what was answered")
  func tooLow() {
    let found = findings([(0, 1, 1), (2, 3, 2), (4, 5, 3)], count: 2)
    #expect(found.uncounted == 1)
    #expect(!found.isExact && !found.isExactWhereAnswered)
    #expect(findings([(0, 1, 41)], count: 42, start: 41).uncounted == 1)
  }

  @Test("calls a history with a visit that failed exact only where it was answered")
  func failed() {
    let found = findings([(0, 1, 1)], failures: [0], count: 1)
    #expect(found.failed == 1)
    #expect(!found.isExact && found.isExactWhereAnswered)
  }
}
