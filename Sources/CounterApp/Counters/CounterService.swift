import Counting
import HTTP

/// Serves counters with names: has a request read and checked, hands it to the group commit, and makes the
/// response of the outcome.
struct CounterService: ~Copyable {
  private let access: Access
  let figures: LoopFigures
  let answers = CounterAnswers()
  var pending = PendingAnswers()
  private var name = NameBuffer()

  init(_ access: Access, _ figures: LoopFigures) {
    self.access = access
    self.figures = figures
  }

  /// Handles the request that the server returned last.
  mutating func handle(
    _ endpoint: Endpoint, _ request: Request, _ server: inout Server, _ counting: inout GroupCommit
  ) {
    let read: CounterRequest
    do throws(Problem) {
      let reader = try CounterRequestReader(endpoint, request, server.requestBytes, access)
      read = try reader.read(&name)
    } catch {
      let callback =
        endpoint.takesCallback
        ? QueryParameters.callback(request.query, of: server.requestBytes) : nil
      respondProblem(request.exchange, error, callback: callback, &server)
      return
    }
    carryOut(read, request, &server, &counting)
  }

  @inline(__always)
  private mutating func carryOut(
    _ read: CounterRequest, _ request: Request, _ server: inout Server,
    _ counting: inout GroupCommit
  ) {
    let ticket: AnswerTicket
    switch read.answer {
    case .form(let form): ticket = AnswerTicket(request.exchange, form)
    case .content(let content):
      let answer = PendingAnswer(exchange: request.exchange, content: content)
      ticket = AnswerTicket(pending: pending.insert(answer))
    }
    switch read.operation {
    case .visit(let action):
      let isWaiting = counting.visit(ticket.ticket, name.name, action)
      if !isWaiting { handleOutcome(.unavailable, ticket, &server) }
    case .addOnce(let amount, let key):
      let isWaiting = counting.addOnce(
        ticket.ticket, name.name, amount,
        idempotencyKey: server.requestBytes.extracting(request.header).extracting(key))
      if !isWaiting { handleOutcome(.unavailable, ticket, &server) }
    case .readAll(let keys): readAll(keys, ticket, &server, &counting)
    case .list(let cursor):
      let isWaiting = counting.list(ticket.ticket, name.namespaceText, cursor: cursor)
      if !isWaiting { handlePage(ListPage(refused: ticket.ticket), &server) }
    }
  }

  private mutating func readAll(
    _ keys: [Range<Int>], _ ticket: AnswerTicket, _ server: inout Server,
    _ counting: inout GroupCommit
  ) {
    var refused: [AnswerTicket] = []
    for (part, key) in keys.enumerated() {
      let ticket = AnswerTicket(pending: ticket.index, part: part)
      // The reader has checked all keys.
      guard (try? name.setKey(key, of: server.requestBytes, .query)) != nil,
        counting.visit(ticket.ticket, name.name, .read)
      else {
        refused.append(ticket)
        continue
      }
    }
    for ticket in refused { handleOutcome(.unavailable, ticket, &server) }
  }
}
