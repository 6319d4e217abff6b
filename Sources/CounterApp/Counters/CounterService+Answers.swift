import Counting
import HTTP
import Telemetry

// Outcomes of visits of counters with names, and the responses that are made of them.

extension CounterService {
  /// Responds to a visit of a counter with a name.
  @inline(__always)
  mutating func handleOutcome(
    _ result: Outcome.Result, _ ticket: AnswerTicket, _ server: inout Server
  ) {
    if ticket.form == .json, case .number(let number) = result {
      json.setNumber(number)
      let isDelivered = json.respond(ticket.exchange, &answers.json, &server)
      figures.hits.record(result, isDelivered: isDelivered)
    } else {
      handleOtherOutcome(result, ticket, &server)
    }
  }

  @inline(never)
  private mutating func handleOtherOutcome(
    _ result: Outcome.Result, _ ticket: AnswerTicket, _ server: inout Server
  ) {
    switch ticket.form {
    case .page, .watched, nil:
      preconditionFailure("no visit of a counter with a name")
    case .json, .text, .readJSON, .readText, .change:
      let isDelivered = respond(ticket.exchange, result, ticket.form, &server)
      record(result, isDelivered, ticket.form)
    case .pending:
      if let answer = pending.add(result, ticket) { respond(answer, result, &server) }
    case .image:
      if let image = images.remove(ticket.index) { respondImage(image, result, &server) }
    }
  }

  private func record(
    _ result: Outcome.Result, _ isDelivered: Bool, _ form: AnswerTicket.Form?
  ) {
    switch form {
    case .readJSON, .readText: figures.reads.add(1)
    case .change: figures.changes.add(1)
    default: figures.hits.record(result, isDelivered: isDelivered)
    }
  }

  private mutating func respond(
    _ exchange: Exchange, _ result: Outcome.Result, _ form: AnswerTicket.Form?,
    _ server: inout Server
  ) -> Bool {
    if let problem = Problem(result) { return respondProblem(exchange, problem, &server) }
    guard let number = result.value else { preconditionFailure("neither number nor problem") }
    switch form {
    case .text, .readText:
      text.setNumber(number)
      if result.isReplayed { return server.respond(exchange, answers.replayedText, text.span) }
      return server.respond(exchange, answers.text, text.span)
    case .change where result == .created(number):
      json.setNumber(number)
      return server.respond(exchange, answers.created, json.span)
    default:
      json.setNumber(number)
      if result.isReplayed { return server.respond(exchange, answers.replayed, json.span) }
      return json.respond(exchange, &answers.json, &server)
    }
  }

  /// Responds when the outcome that an answer waited for is there.
  ///
  /// - Parameter result: of its only visit, or of the last one.
  func respond(
    _ answer: PendingAnswer, _ result: Outcome.Result, _ server: inout Server
  ) {
    switch answer.content {
    case .script(let callback, let isRead):
      let isDelivered = respondScript(answer.exchange, result, callback, &server)
      record(result, isDelivered, isRead ? .readJSON : .json)
    case .counter(let namespace, let key):
      figures.reads.add(1)
      respondCounter(answer.exchange, result, namespace, key, &server)
    case .counters(let gathering):
      figures.reads.add(1)
      respondCounters(answer.exchange, gathering, &server)
    case .list:
      // A page has no outcome but this one.
      figures.reads.add(1)
      respondProblem(answer.exchange, .unavailable, &server)
    }
  }

  private func respondScript(
    _ exchange: Exchange, _ result: Outcome.Result, _ callback: String, _ server: inout Server
  ) -> Bool {
    if let problem = Problem(result) {
      return respondProblem(exchange, problem, callback: callback, &server)
    }
    let json = #"{"value":\#(result.value ?? 0)}"#
    return respondScript(exchange, callback, json, isReplayed: result.isReplayed, &server)
  }

  @discardableResult
  private func respondScript(
    _ exchange: Exchange, _ callback: String, _ json: String, isReplayed: Bool = false,
    _ server: inout Server
  ) -> Bool {
    // The comment keeps a response that begins with a client's text from being taken for another format.
    let body = TextBody("/**/\(callback)(\(json));")
    return isReplayed
      ? server.respond(exchange, answers.replayedScript, body)
      : server.respond(exchange, answers.script, body)
  }

  private func respondCounter(
    _ exchange: Exchange, _ result: Outcome.Result, _ namespace: String, _ key: String,
    _ server: inout Server
  ) {
    if let problem = Problem(result) {
      respondProblem(exchange, problem, &server)
      return
    }
    let members = [
      #""namespace":\#(namespace.quotedForJSON)"#, #""key":\#(key.quotedForJSON)"#,
      #""value":\#(result.value ?? 0)"#,
    ]
    server.respond(exchange, answers.json.head, TextBody("{\(members.joined(separator: ","))}"))
  }

  /// Tells a client why its request is not carried out. A script is told with 200: browsers run no other.
  @discardableResult
  func respondProblem(
    _ exchange: Exchange, _ problem: Problem, callback: String? = nil, _ server: inout Server
  ) -> Bool {
    guard let callback else {
      switch problem {
      case .absent:
        return server.respond(exchange, answers.absent.head, answers.absent.body)
      case .tooManyCounters:
        return server.respond(
          exchange, answers.tooManyCounters.head, answers.tooManyCounters.body)
      default:
        return server.respond(
          exchange, ResponseHead.problem(problem.status, problem.fields), problem.body)
      }
    }
    return respondScript(exchange, callback, problem.body.text, &server)
  }
}

// MARK: - Several counters

extension CounterService {
  /// Responds with a page of a list.
  mutating func handlePage(_ page: ListPage, _ server: inout Server) {
    let ticket = AnswerTicket(ticket: page.ticket)
    guard let answer = pending.remove(ticket.index),
      case .list(let namespace, let isText) = answer.content
    else { preconditionFailure("a page for no answer") }
    guard let counters = page.counters else { return respond(answer, .unavailable, &server) }
    figures.reads.add(1)
    // The link to the next page (RFC 8288) is for both forms.
    let link = #"</counters/\#(namespace)?cursor=\#(page.cursor)>;rel="next""#
    var fields: [ResponseHead.Field] = []
    if page.cursor != 0 { fields.append(("Link", link)) }
    if isText {
      let lines = counters.map { "\($0.number)\t\($0.key)\n" }.joined()
      server.respond(answer.exchange, CounterAnswers.text(fields), TextBody(lines))
    } else {
      let json = Self.json(counters, of: namespace, cursor: page.cursor)
      server.respond(answer.exchange, CounterAnswers.json(fields), TextBody(json))
    }
  }

  private static func json(
    _ counters: [(key: String, number: Int64)], of namespace: String, cursor: UInt64
  ) -> String {
    let elements = counters.map { #"{"key":\#($0.key.quotedForJSON),"value":\#($0.number)}"# }
    let members = [
      #""namespace":\#(namespace.quotedForJSON)"#,
      #""counters":[\#(elements.joined(separator: ","))]"#,
      #""cursor":\#(cursor == 0 ? "null" : "\"\(cursor)\"")"#,
    ]
    return "{\(members.joined(separator: ","))}"
  }

  private func respondCounters(
    _ exchange: Exchange, _ gathering: PendingAnswer.Gathering, _ server: inout Server
  ) {
    if let problem = gathering.problem {
      respondProblem(exchange, problem, callback: gathering.callback, &server)
    } else if let callback = gathering.callback {
      respondScript(exchange, callback, gathering.json, &server)
    } else if gathering.isText {
      server.respond(exchange, answers.text, TextBody(gathering.lines))
    } else {
      server.respond(exchange, answers.json.head, TextBody(gathering.json))
    }
  }
}

extension Outcome.Result {
  /// Whether the number is that of the first time that the idempotency key came.
  fileprivate var isReplayed: Bool { if case .replayed = self { true } else { false } }
}

extension Problem {
  /// What kept a visit from its number; nil when nothing did.
  init?(_ result: Outcome.Result) {
    switch result {
    case .number, .created, .replayed: return nil
    case .absent: self = .absent
    case .exists: self = .exists
    case .tooManyCounters: self = .tooManyCounters
    case .outOfRange: self = .outOfRange
    case .notAnInteger: self = .notAnInteger
    case .keyReused: self = .keyReused
    case .unavailable: self = .unavailable
    }
  }
}
