/// What one loop holds at most.
enum Limits {
  /// Visits that wait for a batch. Further visits are refused at once.
  static var waitingVisits: Int { 65_536 }

  /// Operations in a batch; further ones wait for the next one. A batch keeps Redis busy for some 4 µs an
  /// operation.
  static var operationsABatch: Int { 128 }

  /// Keys that waiting visits and the batch in flight refer to. A visit that needs a further one is
  /// refused at once.
  static var knownKeys: Int { 8_192 }

  /// Nodes of a Redis Cluster that are known at a time. What leads to a further one is asked again later.
  static var nodes: Int { 64 }

  /// How often a writer is sent from one node of a Redis Cluster to another without a pause.
  static var redirections: Int { 5 }

  /// Pages of lists that wait. Further ones are refused at once.
  static var waitingPages: Int { 16 }
}
