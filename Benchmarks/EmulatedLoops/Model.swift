import Glibc

/// What many loops ask of one Redis, from three numbers that are measured once.
///
/// Each loop has at most one batch in flight. With visits that come at random at rate λ over N
/// loops, and a round trip of R, x = λR/N visits come to a loop while its batch is in flight. When
/// the reply comes, the next batch goes at once if any did; with probability e^-x none did, and the
/// loop waits N/λ for one. So a loop sends a batch every R + e^-x N/λ, and its mean size is that
/// times λ/N.
struct Model: Codable {
  /// Seconds of the round trip of a loop that has Redis for itself and no network before it.
  var roundTrip: Double

  /// Seconds of that which are Redis's write to disk.
  var diskWrite: Double

  /// Seconds of processor time that a script takes a busy Redis.
  var script: Double

  /// What it expects of a scenario.
  struct Prediction: Codable {
    /// Seconds from a batch to its reply.
    var roundTrip: Double
    var callsPerSecond: Double
    var batch: Double
    var latency: Measurement.Latency
  }

  /// Finds the round trip that follows from the load that follows from it.
  func predict(_ scenario: Scenario) -> Prediction {
    var low = scenario.networkDelay + roundTrip
    var high = 2 * (low + diskWrite + script * Double(scenario.loops))
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if follows(scenario, middle) > middle { low = middle } else { high = middle }
    }
    let calls = calls(scenario, low)
    return Prediction(
      roundTrip: low, callsPerSecond: calls, batch: scenario.visitsPerSecond / calls,
      latency: latency(scenario, roundTrip: low))
  }

  /// The round trip under the load that loops with a given round trip make.
  ///
  /// Redis works in rounds of its own: it runs the scripts that have come, writes them to disk
  /// together, and sends the replies. A round of length T takes in the scripts of the one before, so
  /// it is a group commit again, and T = write + script (1 + others T). A script that comes during a
  /// round waits for its end, half a round in the mean, and then for its own.
  private func follows(_ scenario: Scenario, _ assumed: Double) -> Double {
    let others = calls(scenario, assumed) * Double(scenario.loops - 1) / Double(scenario.loops)
    guard others * script < 1 else { return .infinity }
    let round = (diskWrite + script) / (1 - others * script)
    let waiting = others * round / batch(others * round)
    let beside = max(0, roundTrip - diskWrite - script)
    return scenario.networkDelay + beside + round * (1 + waiting / 2)
  }

  /// λ / (x + e^-x): λ while x is small, N/R when it is large.
  private func calls(_ scenario: Scenario, _ roundTrip: Double) -> Double {
    scenario.visitsPerSecond / batch(scenario.visitsWithin(roundTrip))
  }

  /// The mean size of a batch: x + e^-x.
  private func batch(_ visits: Double) -> Double { visits + exp(-visits) }

  /// A visit that finds no batch in flight waits for one round trip; any other, of which there are
  /// x in a batch, waits for the rest of one before, which is evenly spread.
  private func latency(_ scenario: Scenario, roundTrip: Double) -> Measurement.Latency {
    let visits = scenario.visitsWithin(roundTrip)
    let waiting = visits / batch(visits)
    return Measurement.Latency(
      mean: roundTrip * (1 + waiting / 2), p99: roundTrip * (1 + max(0, 1 - 0.01 / waiting)))
  }
}

extension Scenario {
  /// x: how many visits come to one loop within a span of time, in the mean.
  fileprivate func visitsWithin(_ seconds: Double) -> Double {
    visitsPerSecond * seconds / Double(loops)
  }
}
