/// What a history of visits shows, held against what Redis counts in the end.
struct Findings: Equatable {
  let answered: Int
  let failed: Int

  /// How many visits got a number that another one had got.
  let doubled: Int

  /// How many numbers, from the first to Redis's count, nobody got and no visit that failed can
  /// have used up.
  let skipped: Int64

  /// How many visits got no larger number than one that had been answered before they began.
  let outOfOrder: Int

  /// How many visits got a number that Redis does not count: one above its count, say.
  let uncounted: Int

  /// What was counted while the visitors were there.
  let count: Int64

  /// - Parameters:
  ///   - count: what Redis counts in the end.
  ///   - start: what it counted in the beginning.
  init(_ tally: Tally, count: Int64, start: Int64 = 0) {
    answered = tally.visits.count
    failed = tally.failed.count
    doubled = tally.visits.count - Set(tally.numbers).count
    skipped = tally.skipped(upTo: count, after: start)
    outOfOrder = tally.outOfOrder
    uncounted = tally.numbers.count { $0 <= start || $0 > count }
    self.count = count - start
  }

  /// No visit failed, and each got the number that was its own.
  var isExact: Bool { failed == 0 && isExactWhereAnswered && count == answered }

  /// Some visits may have failed and were counted once at most; each of the others got the number
  /// that was its own.
  var isExactWhereAnswered: Bool {
    doubled == 0 && skipped == 0 && outOfOrder == 0 && uncounted == 0 && count >= answered
      && count <= answered + failed
  }
}

extension Tally {
  /// A sweep over time: each visit, when it begins, against the largest number answered by then.
  fileprivate var outOfOrder: Int {
    let byEnd = visits.sorted { $0.ended < $1.ended }
    var answered = 0
    var largest = Int64.min
    return visits.sorted { $0.began < $1.began }.count { visit in
      while answered < byEnd.count, byEnd[answered].ended < visit.began {
        largest = max(largest, byEnd[answered].number)
        answered += 1
      }
      return visit.number <= largest
    }
  }

  /// A sweep over the numbers: each that nobody got is put down to a visit that failed, as long as
  /// there are any.
  ///
  /// A failed visit can have used up a number only if it had begun before any larger number was
  /// answered. Each accounts for one number at most. That this takes the first that fits is no
  /// loss: who can account for a number can account for all larger ones.
  fileprivate func skipped(upTo count: Int64, after start: Int64) -> Int64 {
    let failures = failed.map(\.began).sorted()
    var begun = 0
    var used: Int64 = 0
    var skipped: Int64 = 0
    for gap in gaps(upTo: count, after: start) {
      while begun < failures.count, gap.end.map({ failures[begun] < $0 }) ?? true { begun += 1 }
      let accounted = min(gap.size, Int64(begun) - used)
      used += accounted
      skipped += gap.size - accounted
    }
    return skipped
  }

  /// Numbers in a row that nobody got, and when the first larger one was answered.
  private struct Gap {
    let size: Int64
    let end: ContinuousClock.Instant?
  }

  /// The gaps between the numbers, in ascending order.
  private func gaps(upTo count: Int64, after start: Int64) -> [Gap] {
    var gaps: [Gap] = []
    var last = count
    var end: ContinuousClock.Instant?
    for visit in visits.sorted(by: { $0.number > $1.number }) where visit.number > start {
      if visit.number < last { gaps.append(Gap(size: last - visit.number, end: end)) }
      last = min(last, visit.number - 1)
      end = min(end ?? visit.ended, visit.ended)
    }
    if last > start { gaps.append(Gap(size: last - start, end: end)) }
    return gaps.reversed()
  }
}
