/// The kinds of errors that Redis returns for a batch, each handled differently. An error means that
/// nothing was written.
enum BatchError: Equatable {
  /// Redis does not know the script (NOSCRIPT): the batch is sent again, with the script's text.
  case unknownScript

  /// The record is that of a later batch: this one can never be counted.
  case stale

  /// The user lacks a right (NOPERM). If that is the one to counters with names, the batch is given up; see
  /// `GroupCommit`.
  case forbidden

  /// Redis cannot write now, because it is loading, read-only, out of memory, wants a password, or for
  /// another reason: the batch is sent again after a back-off.
  case transient

  /// Redis before version 7 puts the error of a command inside a script into the middle of the text.
  init(_ text: String) {
    if text.hasPrefix("NOSCRIPT") {
      self = .unknownScript
    } else if text.contains("STALE") {
      self = .stale
    } else if text.contains("NOPERM") || text.contains("no permissions")
      || text.contains("can't access")
    {
      self = .forbidden
    } else {
      self = .transient
    }
  }
}
