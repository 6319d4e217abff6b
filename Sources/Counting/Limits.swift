/// What one loop holds at most.
enum Limits {
  /// Visits that wait for a batch. Further visits are refused at once.
  static var waitingVisits: Int { 65_536 }

  /// Different counters in a batch; visits of further counters wait for the next one. A batch keeps
  /// Redis busy for some 4 µs a counter.
  static var countersABatch: Int { 128 }
}
