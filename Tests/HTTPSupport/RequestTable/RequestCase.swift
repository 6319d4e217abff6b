/// What a client sends, byte for byte, and what must come of it.
struct RequestCase: Sendable, CustomStringConvertible {
  /// Which rule it is about, `RFC 9112 section 3.2` for one, and what it does to it.
  let description: String
  let bytes: [UInt8]
  let outcome: Outcome

  /// What must come of it.
  struct Outcome: Sendable, Equatable {
    /// The codes of the answers, in order; invitations to send a body (100) are left out.
    let statuses: [Int]
    let connection: Fate
    /// By how much the count grows.
    let visits: Int
  }

  /// What must become of the connection.
  enum Fate: Sendable, Equatable {
    /// What is sent next is answered.
    case kept
    /// The last answer says so, and nothing that is sent next is taken for a request.
    case closed
  }

  init(_ section: String, _ name: String, _ outcome: Outcome, _ request: String) {
    description = "RFC \(section.replacing(" ", with: " section ")): \(name)"
    bytes = Array(request.utf8)
    self.outcome = outcome
  }

  /// A visit whose field lines are these besides Host.
  init(
    _ section: String, _ name: String, _ outcome: Outcome, fields: String..., body: String = ""
  ) {
    let lines = ["GET / HTTP/1.1", "Host: x"] + fields
    self.init(section, name, outcome, lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
  }
}

extension RequestCase.Outcome {
  /// One visit, counted.
  static let visit = Self(statuses: [200], connection: .kept, visits: 1)

  /// One visit, counted, after which the connection is closed.
  static let lastVisit = Self(statuses: [200], connection: .closed, visits: 1)

  /// An answer that counts nobody.
  static func answered(_ status: Int) -> Self {
    Self(statuses: [status], connection: .kept, visits: 0)
  }

  /// An answer that counts nobody, after which the connection is closed.
  static func refused(_ status: Int) -> Self {
    Self(statuses: [status], connection: .closed, visits: 0)
  }

  /// Several answers.
  static func answers(_ statuses: [Int], _ connection: RequestCase.Fate, visits: Int) -> Self {
    Self(statuses: statuses, connection: connection, visits: visits)
  }
}
