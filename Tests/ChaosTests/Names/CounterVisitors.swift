import Foundation
import Synchronization

@testable import TestSupport

/// A crowd that visits counters with names as fast as it is answered: mostly hits, and among them reads,
/// additions of any sign, repeated idempotency keys and, of some counters, sets, creations and removals.
final class CounterVisitors: Sendable {
  /// What all of them saw.
  struct Record {
    var histories: [String: CounterHistory] = [:]
    var failed: [Tally.Failure] = []
  }

  private let crowd: Crowd
  private let names = CounterNames()
  private let record = Mutex(Record())

  init(_ count: Int, ports: [UInt16], whenRefused: Visitors.WhenRefused, limit: Duration) {
    crowd = Crowd(count, limit: limit)
    crowd.start { [crowd, names] index in
      var visitor = CounterVisitor(
        index, names, home: ports[index % ports.count], ports: ports, whenRefused)
      while !crowd.isOver {
        for _ in 0..<visitor.visit() { crowd.noteAnswer(to: index) }
      }
      self.collect(visitor)
    }
  }

  /// How many requests were answered so far.
  var answered: Int { crowd.answered }

  func waitUntilEveryoneIsAnswered() throws {
    try crowd.waitUntilEveryoneIsAnswered(within: .seconds(20))
  }

  /// Lets everyone finish the requests under way and does not wait for that.
  func tellToStop() { crowd.tellToStop() }

  /// Lets everyone finish the requests under way and returns what they saw.
  func stop() throws -> Record {
    tellToStop()
    try crowd.waitUntilAllLeft()
    return record.withLock { $0 }
  }

  private func collect(_ visitor: CounterVisitor) {
    record.withLock { record in
      for (counter, requests) in visitor.requests {
        record.histories[counter.name, default: CounterHistory()].requests += requests
      }
      record.failed += visitor.client.failures
    }
  }
}

/// One of the crowd.
private struct CounterVisitor {
  private(set) var client: CounterClient
  private(set) var requests: [CounterNames.Counter: [CounterRequest]] = [:]

  private let index: Int
  private let names: CounterNames
  private let home: UInt16
  private let ports: [UInt16]

  /// Additions with an idempotency key that may be repeated.
  private var additions: [Addition] = []
  private var additionCount = 0

  private struct Addition {
    let counter: CounterNames.Counter
    let amount: Int64
    let key: String
  }

  /// - Parameters:
  ///   - home: the port of all requests without an idempotency key.
  ///   - ports: those of requests with one.
  init(
    _ index: Int, _ names: CounterNames, home: UInt16, ports: [UInt16],
    _ whenRefused: Visitors.WhenRefused
  ) {
    client = CounterClient(whenRefused: whenRefused)
    self.index = index
    self.names = names
    self.home = home
    self.ports = ports
  }

  /// - Returns: how many requests were answered.
  mutating func visit() -> Int {
    let counter = names.draw()
    switch Int.random(in: 0..<100) {
    case ..<2 where !additions.isEmpty: return add(additions[.random(in: additions.indices)])
    case 2..<6: return addOnce(counter)
    default: return send(drawAction(counter), counter, ports: [home])
    }
  }

  private func drawAction(_ counter: CounterNames.Counter) -> CounterAction {
    let isChanged = counter.generation != nil
    // So far apart that most numbers tell which set came before.
    let number = Int64.random(in: -(1 << 52)...(1 << 52))
    switch Int.random(in: 0..<100) {
    case ..<10: return .read
    case ..<20: return .add(AdditionCheck.amounts.randomElement() ?? 1)
    case ..<28 where isChanged: return .set(number)
    case ..<36 where isChanged: return .create(number)
    case ..<44 where isChanged: return .remove
    default: return .add(1)
    }
  }

  /// Adds with a new idempotency key, and sends the request again: until it is answered, or until an attempt
  /// more than that.
  private mutating func addOnce(_ counter: CounterNames.Counter) -> Int {
    let addition = Addition(
      counter: counter, amount: AdditionCheck.amounts.randomElement() ?? 1,
      key: "\(index)-\(additionCount)")
    additionCount += 1
    additions = additions.suffix(15) + [addition]
    var answered = 0
    for _ in 0..<4 where answered == 0 || Bool.random() { answered += add(addition) }
    return answered
  }

  /// To one replica, or to all at once.
  private mutating func add(_ addition: Addition) -> Int {
    let some = ports[.random(in: ports.indices)]
    return send(
      .add(addition.amount), addition.counter, key: addition.key,
      ports: Bool.random() ? ports : [some])
  }

  private mutating func send(
    _ action: CounterAction, _ counter: CounterNames.Counter, key: String? = nil, ports: [UInt16]
  ) -> Int {
    let sent = client.send(action, to: counter.name, idempotencyKey: key, ports: ports)
    requests[counter, default: []] += sent
    let answered = sent.count { $0.answer != nil }
    for _ in answered..<sent.count { names.noteUnanswered(counter) }
    return answered
  }
}
