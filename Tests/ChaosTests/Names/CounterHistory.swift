/// All requests to one counter.
///
/// Left out are those that were refused because the counter held no integer: they change nothing.
struct CounterHistory {
  private(set) var requests: [CounterRequest] = []
  private(set) var refused = 0

  mutating func add(_ more: [CounterRequest]) {
    requests += more.filter { $0.answer != .noInteger }
    refused += more.count { $0.answer == .noInteger }
  }

  /// What was carried out: the requests with an idempotency key are one operation.
  var operations: [CounterOperation] {
    let single = requests.filter { $0.idempotencyKey == nil }.map(CounterOperation.init)
    return single + repeated.values.map(CounterOperation.init)
  }

  /// When idempotency keys were answered as no operation that is carried out once can be, for each such key.
  var contradictions: [ContinuousClock.Instant] {
    repeated.values.filter { !$0.isConsistent }.compactMap { $0.map(\.ended).max() }
  }

  /// How many requests had the idempotency key of another one.
  var repeats: Int { repeated.values.reduce(0) { $0 + $1.count - 1 } }

  /// The last requests that began before a time, a line each.
  func excerpt(until time: ContinuousClock.Instant) -> String {
    let requests = requests.filter { $0.began <= time }.sorted { $0.began < $1.began }
    return requests.suffix(60).map { $0.description(at: time) }.joined(separator: "\n")
  }

  private var repeated: [String: [CounterRequest]] {
    let withKey = requests.compactMap { request in
      request.idempotencyKey.map { (key: $0, request) }
    }
    return Dictionary(grouping: withKey, by: \.key).mapValues { $0.map(\.1) }
  }

  /// Whether only additions are among the requests that can change the counter.
  var onlyAdds: Bool {
    requests.allSatisfy {
      switch $0.action {
      case .add, .read: true
      case .set, .create, .remove: false
      }
    }
  }
}

extension CounterOperation {
  init(_ request: CounterRequest) {
    action = request.action
    began = request.began
    outcome = request.answer.map { Outcome(ended: request.ended, answer: $0) }
  }

  /// - Parameter requests: those with one idempotency key, at least one. One of them was the first: the one
  ///   whose answer says so, else one without an answer.
  init(_ requests: [CounterRequest]) {
    let requests = requests.filter { !$0.reusesKey }
    let answered = requests.filter { $0.answer != nil }
    let first = answered.first { !$0.isReplayed }
    let firsts = first.map { [$0] } ?? requests.filter { $0.answer == nil }
    let earliest = firsts.map(\.began).min() ?? requests.map(\.began).min()
    guard let earliest, let action = requests.first?.action else {
      preconditionFailure("no request")
    }
    self.action = action
    began = earliest
    if let ended = answered.map(\.ended).min(), let answer = answered.first?.answer {
      outcome = Outcome(ended: ended, answer: answer)
    } else {
      outcome = nil
    }
  }
}

extension [CounterRequest] {
  /// Whether all that were answered got the same answer, and one was the first. Those that reuse the key for
  /// another amount are refused.
  fileprivate var isConsistent: Bool {
    let requests = filter { !$0.reusesKey }
    let answered = requests.filter { $0.answer != nil }
    let firsts = answered.count { !$0.isReplayed }
    return Set(answered.map(\.answer)).count <= 1 && firsts <= 1
      && (firsts == 1 || answered.count < requests.count)
      && allSatisfy { !$0.reusesKey || $0.answer == nil || $0.answer == .keyReused }
  }
}
