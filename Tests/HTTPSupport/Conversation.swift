/// What a client was answered from the first byte it sent to the end of its connection.
struct Conversation: Equatable, Sendable, CustomStringConvertible {
  /// All of it but the invitations to send a body: whether one comes depends on what of the body
  /// is there already.
  let answers: [UInt8]

  /// How many visits the program was asked to count.
  let visits: Int

  init(received: [UInt8], visits: Int) {
    answers = received.split(separator: Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)).flatMap(\.self)
    self.visits = visits
  }

  var description: String {
    "\(visits) visits; \(String(decoding: answers, as: UTF8.self).debugDescription)"
  }

  /// The answers, each from its code on. None of the bodies has such a line in it.
  private var texts: [Substring] {
    String(decoding: answers, as: UTF8.self).split(separator: /HTTP\/1\.1 (?=\d\d\d )/)
  }

  /// The codes of the answers, in order.
  var statuses: [Int] { texts.map { Int($0.prefix(3)) ?? 0 } }

  /// Which of the answers say that they are the last.
  var closing: [Bool] { texts.map { $0.contains("\r\nConnection: close\r\n") } }

  /// The last answer, from its code on.
  var last: Substring { texts.last ?? "" }

  /// What came of a request after which the probe was sent.
  var outcome: RequestCase.Outcome {
    let wasProbed = last.hasPrefix("200") && last.hasSuffix(RequestTable.probeAnswer)
    return RequestCase.Outcome(
      statuses: wasProbed ? statuses.dropLast() : statuses,
      connection: wasProbed ? .kept : .closed, visits: visits)
  }

  /// Whether the announced fate of the connection is its real one: an answer says that it is the
  /// last if, and only if, it is.
  var isHonest: Bool {
    closing.dropLast().allSatisfy { !$0 } && closing.last == (outcome.connection == .closed)
  }
}
