import Counting

/// What a stream tells of its counter, as a server-sent event
/// (https://html.spec.whatwg.org/#server-sent-events).
enum StreamEvent: Equatable {
  /// Nothing yet.
  case none
  /// The number; 0 for a counter that does not exist.
  case number(Int64)
  /// Why there is no number at present.
  case problem(Problem)

  init(_ result: Outcome.Result) {
    switch result {
    case .absent: self = .number(0)
    default: self = result.value.map(Self.number) ?? .problem(Problem(result) ?? .unavailable)
    }
  }

  /// The event as it is sent. A problem has a name of its own, so that no script takes its text for a number.
  var bytes: [UInt8] {
    switch self {
    case .none: []
    case .number(let number): Array("id: \(number)\ndata: \(number)\n\n".utf8)
    case .problem(let problem): Array("event: problem\ndata: \(problem.detail)\n\n".utf8)
    }
  }

  /// A line that keeps proxies from closing a stream on which nothing happens.
  static let comment = Array(":\n\n".utf8)

  /// Tells a client when to come back after the end of the stream.
  static func retry(milliseconds: Int) -> [UInt8] { Array("retry: \(milliseconds)\n\n".utf8) }
}
