import Counting
import System
import Telemetry
import HTTP

/// The figures of one event loop. Only that loop writes them, without a lock; a scrape adds up the
/// figures of all loops.
final class LoopFigures: Sendable {
  let server = Server.Figures()
  let counting = GroupCommit.Figures()

  /// Visits that were answered with their number.
  let counted = RelaxedCounter()
  /// Visits that were answered that they could not be counted.
  let unavailable = RelaxedCounter()
  /// Visits whose client went away before the response; they may have been counted.
  let abandoned = RelaxedCounter()

  /// Rounds of the loop.
  let rounds = RelaxedCounter()
}
