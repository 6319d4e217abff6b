import Foundation

@testable import TestSupport

/// What a crowd of visitors got to see.
struct Tally {
  struct Visit {
    let began: ContinuousClock.Instant
    let ended: ContinuousClock.Instant
    let number: Int64
  }

  var visits: [Visit] = []
  /// Visits without a number, each with the reason.
  var failures: [String] = []

  var numbers: [Int64] { visits.map(\.number) }

  /// How many numbers were handed out more than once.
  var doubled: Int { visits.count - Set(numbers).count }

  /// How many numbers between the smallest and the largest nobody got.
  var skipped: Int64 {
    guard let first = numbers.min(), let last = numbers.max() else { return 0 }
    return last - first + 1 - Int64(Set(numbers).count)
  }

  /// How many visits got a smaller number than one that had been answered before they began.
  var outOfOrder: Int {
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
}
