@testable import Counting
@testable import TestSupport

/// The key of a counter with a name.
func counterKey(_ name: String) -> String {
  "{\(CounterName.bucket(Array(name.utf8).span))}:\(name)"
}

/// The key of the record of an idempotency key.
func recordKey(_ name: String, _ idempotencyKey: String) -> String {
  let bucket = CounterName.bucket(Array(name.utf8).span)
  return "{\(bucket)}:once:\(name.utf8.count):\(name):\(idempotencyKey)"
}

/// A step of a batch, as the script gets it.
struct ScriptStep {
  let key: String
  let step: String
  var record: String?

  init(_ key: String, _ step: String, record: String? = nil) {
    self.key = key
    self.step = step
    self.record = record
  }

  var keys: [String] { record.map { [key, $0] } ?? [key] }
  var arguments: [String] { record == nil ? [step] : [step, ""] }
}

/// A batch, as a writer sends it to the script.
struct ScriptBatch {
  static let claim = "{hits}:claim:test"

  let number: Int
  let steps: [ScriptStep]
  var limit = 100_000
  var claim = Self.claim
  var script = BatchScript.exactlyOnce.text

  /// The batch's own command.
  var command: [String] {
    let keys = steps.flatMap(\.keys)
    return ["EVAL", script, "\(keys.count + 1)", claim] + keys + ["\(number)"]
      + steps.flatMap(\.arguments) + ["\(limit)"]
  }

  /// All commands of the batch, with those that a writer pipelines behind it.
  var commands: [[String]] {
    let removed = steps.filter { $0.step == "x" }.map(\.key)
    let expiries = [claim] + steps.compactMap(\.record)
    return [command] + expiries.map { ["PEXPIRE", $0, "86400000"] }
      + (removed.isEmpty ? [] : [["EVAL", RemovalScript.text, "\(removed.count)"] + removed])
  }
}
