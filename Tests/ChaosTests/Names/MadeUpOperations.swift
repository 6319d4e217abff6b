/// A time of a made-up history, in seconds.
func time(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

private let start = ContinuousClock.now

/// Operations of made-up histories, with the seconds at which they began and ended.
extension CounterOperation {
  init(_ action: CounterAction, _ began: Double, _ ended: Double, _ answer: CounterAnswer) {
    self.init(
      action: action, began: time(began), outcome: .init(ended: time(ended), answer: answer))
  }

  static func add(_ amount: Int64, _ began: Double, _ ended: Double, _ number: Int64) -> Self {
    Self(.add(amount), began, ended, CounterAnswer(200, number))
  }

  static func read(_ began: Double, _ ended: Double, _ number: Int64?) -> Self {
    Self(.read, began, ended, number.map { CounterAnswer(200, $0) } ?? .absent)
  }

  static func remove(_ began: Double, _ ended: Double, _ number: Int64?) -> Self {
    Self(.remove, began, ended, number.map { CounterAnswer(200, $0) } ?? .absent)
  }

  static func set(_ number: Int64, _ began: Double, _ ended: Double, _ status: Int) -> Self {
    Self(.set(number), began, ended, CounterAnswer(status, number))
  }

  static func create(_ number: Int64, _ began: Double, _ ended: Double, _ status: Int) -> Self {
    let answer = status == 412 ? .exists : CounterAnswer(status, number)
    return Self(.create(number), began, ended, answer)
  }

  /// One that was not answered.
  static func lost(_ action: CounterAction, _ began: Double) -> Self {
    Self(action: action, began: time(began), outcome: nil)
  }
}
