import Testing

@Suite("The history of a counter")
struct CounterHistoryTests {
  private func request(
    _ began: Double, _ ended: Double, _ number: Int64?, replayed: Bool = false, key: String? = "k"
  ) -> CounterRequest {
    CounterRequest(
      action: .add(1), idempotencyKey: key, began: time(began), ended: time(ended),
      answer: number.map { CounterAnswer(200, $0) }, isReplayed: replayed)
  }

  private func history(_ requests: CounterRequest...) -> CounterHistory {
    var history = CounterHistory()
    history.add(requests)
    return history
  }

  @Test("has one operation for all requests with an idempotency key")
  func oneOperation() throws {
    let history = history(
      request(1, 9, 5), request(2, 3, 5, replayed: true), request(4, 5, nil),
      request(0, 1, 4, key: nil), request(2, 3, 6, key: "other"))
    #expect(history.operations.count == 3)
    #expect(history.repeats == 2)
    #expect(history.contradictions.isEmpty)
    let operation = try #require(history.operations.first { $0.began == time(1) })
    // It was carried out before the first answer that shows it.
    #expect(operation.outcome?.ended == time(3))
    #expect(operation.outcome?.answer == CounterAnswer(200, 5))
  }

  @Test("has one that began with the first request when that was not answered")
  func firstUnanswered() throws {
    let one = history(request(1, 2, nil), request(3, 4, 5, replayed: true)).operations
    #expect(one.map(\.began) == [time(1)])
    #expect(one.map(\.outcome?.ended) == [time(4)])
    // The answer is not that of the first: this one was carried out itself.
    #expect(history(request(1, 2, nil), request(3, 4, 5)).operations.map(\.began) == [time(3)])
    #expect(history(request(1, 2, nil), request(3, 4, nil)).operations.map(\.began) == [time(1)])
  }

  @Test("finds answers to a key that one operation cannot have")
  func contradictions() {
    #expect(history(request(1, 2, 5), request(3, 4, 6, replayed: true)).contradictions.count == 1)
    #expect(history(request(1, 2, 5), request(3, 4, 5)).contradictions.count == 1)
    let replays = history(request(1, 2, 5, replayed: true), request(3, 4, 5, replayed: true))
    #expect(replays.contradictions.count == 1)
    #expect(history(request(1, 2, nil), request(3, 4, 5, replayed: true)).contradictions.isEmpty)
  }

  @Test("leaves out what is refused, and finds a key that served for another amount")
  func refused() {
    var other = CounterRequest(
      action: .add(7), idempotencyKey: "k", began: time(3), ended: time(4), answer: .keyReused)
    other.reusesKey = true
    let right = history(request(1, 2, 5), other)
    #expect(right.contradictions.isEmpty)
    #expect(right.operations.map(\.action) == [.add(1)])
    var counted = CounterRequest(
      action: .add(7), idempotencyKey: "k", began: time(3), ended: time(4),
      answer: CounterAnswer(200, 12))
    counted.reusesKey = true
    #expect(history(request(1, 2, 5), counted).contradictions.count == 1)
    let refused = CounterRequest(
      action: .add(1), began: time(3), ended: time(4), answer: .noInteger)
    #expect(history(refused, request(5, 6, 1, key: nil)).operations.count == 1)
    #expect(history(refused).refused == 1)
  }
}
