import Counting
import System
import Telemetry
import HTTP

/// What one loop has done so far: written by the loop alone, without a lock, and added to that of
/// the others when somebody asks.
final class LoopFigures: Sendable {
  let server = Server.Figures()
  let counter = Counter.Figures()

  /// Visits that were told their number.
  let counted = RelaxedCounter()
  /// Visits that were told that they could not be counted.
  let unavailable = RelaxedCounter()
  /// Visits whose visitor went away before there was an answer; they may have been counted.
  let abandoned = RelaxedCounter()

  /// How often the loop has waited for events.
  let rounds = RelaxedCounter()
}
