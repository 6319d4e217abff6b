/// What the steps of batches do to counters when they are carried out one after another.
///
/// It knows nothing of batches, claims or Redis; a step is one of a dictionary.
struct CounterModel {
  /// What a step asks for.
  enum Step {
    /// Reads if the number is 0.
    case add(Int64)
    case addOnce(Int64, record: String)
    case set(Int64)
    case create(Int64)
    case remove

    /// The step in the form that the script reads.
    var text: String {
      switch self {
      case .add(let number): "\(number)"
      case .addOnce(let number, _): "@\(number)"
      case .set(let number): "=\(number)"
      case .create(let number): "*\(number)"
      case .remove: "x"
      }
    }
  }

  /// The numbers of the counters that exist, by their keys.
  var numbers: [String: Int64] = [:]

  /// Keys that hold no integer.
  var badKeys: Set<String> = []

  /// The amounts and results of idempotency keys, by the keys of their records.
  private(set) var records: [String: (amount: Int64, result: Int64)] = [:]

  /// How many counters with names there may be.
  var limit = 100_000

  /// How many counters with names there are in each bucket that ever had one.
  private(set) var counts: [String: Int] = [:]

  /// Carries out a step, and returns the word of its outcome.
  mutating func carryOut(_ step: Step, on key: String) -> String {
    guard !badKeys.contains(key) else { return "!" }
    switch step {
    case .add(0): return numbers[key].map { "\($0)" } ?? "-"
    case .add(let amount): return add(amount, to: key)
    case .addOnce(let amount, let record): return addOnce(amount, to: key, record)
    case .set(let number): return set(number, key)
    case .create(let number): return numbers[key].map { "=\($0)" } ?? set(number, key)
    case .remove:
      guard let number = numbers.removeValue(forKey: key) else { return "-" }
      count(key, -1)
      return "\(number)"
    }
  }

  private mutating func add(_ amount: Int64, to key: String) -> String {
    guard let number = numbers[key] else { return set(amount, key) }
    let (total, isTooLarge) = number.addingReportingOverflow(amount)
    guard !isTooLarge else { return "^\(number)" }
    return set(total, key)
  }

  private mutating func addOnce(_ amount: Int64, to key: String, _ record: String) -> String {
    if let record = records[record] {
      return record.amount == amount ? "@\(record.result)" : "~"
    }
    let word = add(amount, to: key)
    if !word.hasPrefix("^"), word != "#" { records[record] = (amount, numbers[key] ?? 0) }
    return word
  }

  private mutating func set(_ number: Int64, _ key: String) -> String {
    guard numbers[key] == nil else {
      numbers[key] = number
      return "\(number)"
    }
    guard !key.hasPrefix("{") || counts.values.reduce(0, +) < limit else { return "#" }
    numbers[key] = number
    count(key, 1)
    return "+\(number)"
  }

  private mutating func count(_ key: String, _ change: Int) {
    guard key.hasPrefix("{"), let end = key.firstIndex(of: ":") else { return }
    counts["\(key[...end])counters", default: 0] += change
  }
}
