import Testing

@testable import TestSupport

/// Under a fault, the whole history of all visits is what the fault lets them notice.
func expectExact(
  under fault: Fault, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  try withScene(for: fault) { scene in
    let seen = try scene.play(fault)
    let findings = seen.findings
    let isAsExpected =
      switch fault.failures {
      case .none: findings.isExact
      case .neverCounted: findings.isExactWhereAnswered && findings.count == findings.answered
      case .countedOnceAtMost, .cutOff: findings.isExactWhereAnswered
      }
    #expect(isAsExpected, "\(findings)", sourceLocation: sourceLocation)
    expectFailures(seen.tally.failed, fault.failures, scene, sourceLocation)
    guard let names = seen.names else { return }
    // What keeps `/` from counting does not affect counters with names.
    let failures = fault.failures == .neverCounted ? .none : fault.failures
    #expect(
      failures == .none ? names.isExact : names.isExactWhereAnswered,
      "\(names): \(names.examples.joined(separator: "\n"))", sourceLocation: sourceLocation)
    #expect((names.refused > 0) == fault.refusesNames, sourceLocation: sourceLocation)
    expectFailures(seen.namesFailed, failures, scene, sourceLocation)
    #expect(
      scene.counters.allSatisfy { $0.process.isRunning }, "none crashed",
      sourceLocation: sourceLocation)
  }
}

/// Visits failed for the reason they may fail for, and some did.
private func expectFailures(
  _ failed: [Tally.Failure], _ failures: Fault.Failures, _ scene: Scene,
  _ sourceLocation: SourceLocation
) {
  let others = failed.filter { failure in
    switch failures {
    case .none: true
    case .countedOnceAtMost, .neverCounted: !failure.reason.hasPrefix("HTTP/1.1 503 ")
    case .cutOff: failure.port != scene.counters.last?.port || failure.reason.hasPrefix("HTTP")
    }
  }
  #expect(Set(others.map(\.reason)) == [], sourceLocation: sourceLocation)
  if case .none = failures { return }
  #expect(!failed.isEmpty, "or this shows nothing", sourceLocation: sourceLocation)
}

/// What the visitors saw, and how it stands against what Redis counts.
struct Seen {
  let tally: Tally
  let findings: Findings

  /// Of counters with names.
  let names: CounterFindings?
  let namesFailed: [Tally.Failure]
}

extension Scene {
  /// Lets a fault strike until its time is over, and everyone visit once more after that.
  func play(_ fault: Fault) throws -> Seen {
    begin()
    let strikes = try fault.strike(self)
    let time = time
    try waitUntilEveryoneIsAnswered()
    if let group { redis = try group.primary() }
    counterVisitors?.tellToStop()
    let tally = try visitors.stop()
    let record = try counterVisitors?.stop()
    let findings = Findings(tally, count: try count)
    let names = try record.map { CounterFindings($0.histories, try contents) }
    let text = strikes.map { "\($0.count) \($0.what)" }.joined(separator: ", ")
    Report.add(fault.name, time, findings, names, text)
    #expect(strikes.allSatisfy { $0.count > 0 }, "it struck: \(text)")
    return Seen(tally: tally, findings: findings, names: names, namesFailed: record?.failed ?? [])
  }
}
