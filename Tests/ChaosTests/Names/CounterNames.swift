import Synchronization

/// The counters that are visited: 1, 10 and 1,000 of them in a namespace each.
///
/// All are added to. Every other one of the 10 and the 1,000 is also set, created and removed. These have
/// generations: after a few requests without an answer the next generation is visited, because such requests
/// make the check of a history hard; see `Linearization`.
final class CounterNames: Sendable {
  struct Counter: Hashable {
    let namespace: String
    let index: Int

    /// Nil for a counter that is only added to.
    var generation: Int?

    var name: String { "\(namespace)/\(index)" + (generation.map { ".\($0)" } ?? "") }
  }

  private struct Generation {
    var number = 0
    var unanswered = 0
  }

  private static let mostUnanswered = 4

  private let generations = Mutex<[Counter: Generation]>([:])

  /// One of the counters, of each namespace equally often.
  func draw() -> Counter {
    let (namespace, count) = [("one", 1), ("ten", 10), ("thousand", 1_000)][.random(in: 0..<3)]
    var counter = Counter(namespace: namespace, index: .random(in: 0..<count))
    guard !counter.index.isMultiple(of: 2) else { return counter }
    counter.generation = generations.withLock { $0[counter]?.number } ?? 0
    return counter
  }

  /// Notes that a request was not answered.
  func noteUnanswered(_ counter: Counter) {
    guard let number = counter.generation else { return }
    var base = counter
    base.generation = nil
    generations.withLock { generations in
      var generation = generations[base] ?? Generation()
      guard generation.number == number else { return }
      generation.unanswered += 1
      if generation.unanswered >= Self.mostUnanswered {
        generation = Generation(number: number + 1)
      }
      generations[base] = generation
    }
  }
}
