import Counting
import System
import Telemetry
import HTTP

/// What one loop has done so far: written by the loop alone, without a lock, and added to that of
/// the others when somebody asks.
final class LoopFigures: Sendable {
  let server = Server.Figures()
  let counting = GroupCommit.Figures()

  /// Visits that were told their number.
  let counted = RunningTotal()
  /// Visits that were told that they could not be counted.
  let unavailable = RunningTotal()
  /// Visits whose visitor went away before there was an answer; they may have been counted.
  let abandoned = RunningTotal()

  /// How often the loop has waited for events.
  let rounds = RunningTotal()
}
