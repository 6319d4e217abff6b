import Testing

@testable import TestSupport

/// Under a fault, the whole history of all visits is what the fault lets them notice.
func expectExact(
  under fault: Fault, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  try withScene(for: fault) { scene in
    let (tally, findings) = try scene.play(fault)
    let isAsExpected =
      switch fault.failures {
      case .none: findings.isExact
      case .neverCounted: findings.isExactWhereAnswered && findings.count == findings.answered
      case .countedOnceAtMost, .cutOff: findings.isExactWhereAnswered
      }
    #expect(isAsExpected, "\(findings)", sourceLocation: sourceLocation)
    expectFailures(tally, fault.failures, scene, sourceLocation)
    #expect(
      scene.counters.allSatisfy { $0.process.isRunning }, "none crashed",
      sourceLocation: sourceLocation)
  }
}

/// Visits failed for the reason they may fail for, and some did.
private func expectFailures(
  _ tally: Tally, _ failures: Fault.Failures, _ scene: Scene, _ sourceLocation: SourceLocation
) {
  let others = tally.failed.filter { failure in
    switch failures {
    case .none: true
    case .countedOnceAtMost, .neverCounted: !failure.reason.hasPrefix("HTTP/1.1 503 ")
    case .cutOff: failure.port != scene.counters.last?.port || failure.reason.hasPrefix("HTTP")
    }
  }
  #expect(Set(others.map(\.reason)) == [], sourceLocation: sourceLocation)
  if case .none = failures { return }
  #expect(!tally.failed.isEmpty, "or this shows nothing", sourceLocation: sourceLocation)
}

extension Scene {
  /// Lets a fault strike until its time is over, and everyone visit once more after that.
  ///
  /// - Returns: what the visitors saw, and how it stands against what Redis counts.
  func play(_ fault: Fault) throws -> (Tally, Findings) {
    begin()
    let strikes = try fault.strike(self)
    let time = time
    try visitors.waitUntilEveryoneIsAnswered()
    let tally = try visitors.stop()
    let findings = Findings(tally, count: try count)
    let text = strikes.map { "\($0.count) \($0.what)" }.joined(separator: ", ")
    Report.add(fault.name, time, findings, text)
    #expect(strikes.allSatisfy { $0.count > 0 }, "it struck: \(text)")
    return (tally, findings)
  }
}
