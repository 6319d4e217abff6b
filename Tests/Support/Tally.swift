/// The whole history of a crowd's visits, as the visitors saw it.
struct Tally {
  /// A visit that was answered with a number.
  struct Visit {
    let began: ContinuousClock.Instant
    let ended: ContinuousClock.Instant
    let number: Int64
  }

  /// A visit that was not: the counter may have counted it all the same.
  struct Failure {
    let began: ContinuousClock.Instant
    let reason: String
    /// Of the counter that was visited.
    let port: UInt16
  }

  var visits: [Visit] = []
  var failed: [Failure] = []

  var numbers: [Int64] { visits.map(\.number) }

  /// Why visits failed, one entry a visit.
  var failures: [String] { failed.map(\.reason) }
}
