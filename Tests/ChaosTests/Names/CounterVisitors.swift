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
        record.histories[counter.name, default: CounterHistory()].add(requests)
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

  /// The last additions with an idempotency key, which may be repeated.
  private var additions: [Addition] = []
  private var additionCount = 0

  private struct Addition {
    let counter: CounterNames.Counter
    let amount: Int64
    let key: String
    var isAnswered = false
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
    switch Int.random(in: 0..<100) {
    case ..<2 where !additions.isEmpty: addAgain(additions[.random(in: additions.indices)])
    case 2..<6: addOnce(names.draw())
    case 6..<11: send((0..<16).map { _ in draw() })
    // Two of these at a time are more than one batch holds.
    case 11: send((0..<100).map { _ in draw() })
    default: send([draw()])
    }
  }

  private func draw() -> CounterClient.Outgoing {
    let counter = names.draw()
    return CounterClient.Outgoing(action: drawAction(counter), counter: counter, port: home)
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
    var addition = Addition(
      counter: counter, amount: AdditionCheck.amounts.randomElement() ?? 1,
      key: "\(index)-\(additionCount)")
    additionCount += 1
    var answered = 0
    for _ in 0..<4 where answered == 0 || Bool.random() { answered += add(addition) }
    addition.isAnswered = requests[counter, default: []].suffix(8)
      .contains { $0.idempotencyKey == addition.key && $0.answer?.status == 200 }
    additions = additions.suffix(15) + [addition]
    return answered
  }

  /// Sends an earlier request again, or one with its key and another amount.
  private mutating func addAgain(_ addition: Addition) -> Int {
    guard addition.isAnswered, Int.random(in: 0..<4) == 0 else { return add(addition) }
    return send([
      CounterClient.Outgoing(
        action: .add(addition.amount + 1), counter: addition.counter, idempotencyKey: addition.key,
        reusesKey: true, port: home)
    ])
  }

  /// To one replica, or to all at once.
  private mutating func add(_ addition: Addition) -> Int {
    let ports = Bool.random() ? ports : [ports[.random(in: ports.indices)]]
    return send(
      ports.map { port in
        CounterClient.Outgoing(
          action: .add(addition.amount), counter: addition.counter, idempotencyKey: addition.key,
          port: port)
      })
  }

  private mutating func send(_ outgoing: [CounterClient.Outgoing]) -> Int {
    var answered = 0
    for (one, request) in zip(outgoing, client.send(outgoing)) {
      guard let request else { continue }
      requests[one.counter, default: []].append(request)
      if request.answer == nil { names.noteUnanswered(one.counter) } else { answered += 1 }
    }
    return answered
  }
}
