/// An error with which Redis answered a batch, by what the writer does about it. An error means that
/// nothing was written.
enum BatchError: Equatable {
  /// Redis does not know the script (NOSCRIPT): the batch is sent again, with the script's text.
  case unknownScript

  /// The record is that of a later batch: this one can never be counted.
  case stale

  /// Redis cannot write now, because it is loading, read-only, out of memory, wants a password, or for
  /// another reason: the batch is sent again after a back-off.
  case transient

  /// Before Redis 7, the error of a command inside a script stands in the middle of the text.
  init(_ text: String) {
    if text.hasPrefix("NOSCRIPT") {
      self = .unknownScript
    } else if text.contains("STALE") {
      self = .stale
    } else {
      self = .transient
    }
  }
}
