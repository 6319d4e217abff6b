/// The report as text for people.
extension Report {
  /// Where and when, and what the model starts from.
  var markdownHead: String {
    """
    \(date); \(machine.processors) × \(machine.processor), Linux \(machine.kernel); Redis \
    \(redis) with `appendfsync \(fsync)` over TCP on the loopback; \(secondsEach) s a row.

    The model starts from three measurements. The round trip of one loop that never pauses is \
    \(Self.milliseconds(model.roundTrip)) ms, of which the write to disk is \
    \(Self.milliseconds(model.diskWrite)) ms. With \(Self.fullLoops) loops that never pause, a script \
    takes \(Self.decimal(model.script * 1e6, 1)) µs of Redis's processor time.
    """
  }

  /// The table of all scenarios that differ in nothing but their loops.
  static func markdownTable(_ results: [Result]) -> String {
    guard let scenario = results.first?.measured.scenario else { return "" }
    let title =
      "**\(whole(scenario.visitsPerSecond)) visits a second, network delay "
      + "\(milliseconds(scenario.networkDelay)) ms a round trip** (measured / model)"
    let head = """
      | loops | scripts a second | visits a batch | mean ms | p99 ms | Redis CPU | emulator CPU | \
      other CPU | limit | exact |
      |--:|--:|--:|--:|--:|--:|--:|--:|:--|:--|
      """
    return ([title, "", head] + results.map(markdownRow)).joined(separator: "\n")
  }

  private static func markdownRow(_ result: Result) -> String {
    let measured = result.measured
    let predicted = result.predicted
    func pair(_ show: (Double) -> String, _ left: Double, _ right: Double) -> String {
      "\(show(left)) / \(show(right))"
    }
    let cells = [
      whole(Double(measured.scenario.loops)),
      pair(whole, measured.callsPerSecond, predicted.callsPerSecond),
      pair({ decimal($0, 2) }, measured.batch, predicted.batch),
      pair(milliseconds, measured.latency.mean, predicted.latency.mean),
      pair(milliseconds, measured.latency.p99, predicted.latency.p99),
      decimal(measured.processors.redis, 2), decimal(measured.processors.emulator, 2),
      decimal(measured.processors.others, 2), result.limit.rawValue,
      measured.isExact ? "yes" : "**no**",
    ]
    return "| " + cells.joined(separator: " | ") + " |"
  }

  /// How many loops are taken to fill Redis.
  static var fullLoops: Int { 64 }
}

// MARK: - Numbers

extension Report {
  private static func milliseconds(_ seconds: Double) -> String {
    let milliseconds = seconds * 1000
    return decimal(milliseconds, milliseconds < 10 ? 2 : 1)
  }

  private static func decimal(_ number: Double, _ digits: Int) -> String {
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((number * Double(scale)).rounded())
    let fraction = String(scaled % scale + scale).dropFirst()
    return "\(scaled / scale).\(fraction)"
  }

  /// With a comma before every third digit from the right.
  private static func whole(_ number: Double) -> String {
    var digits = String(Int(number.rounded()))
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return ([digits] + groups).joined(separator: ",")
  }
}
