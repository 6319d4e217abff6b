/// What Redis answered to a command.
enum RESPReply: Equatable {
  case status(String)
  case error(String)
  case integer(Int64)
  case text(String)
  case missing
  case list([RESPReply])

  /// The text of a value, nil when there is none.
  var text: String? {
    if case .text(let text) = self { return text }
    return nil
  }
}
