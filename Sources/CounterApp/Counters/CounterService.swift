import Counting
import HTTP
import System

/// Serves counters with names: has a request read and checked, hands it to the group commit, and makes the
/// response of the outcome.
struct CounterService: ~Copyable {
  let access: Access
  let figures: LoopFigures
  var answers = CounterAnswers()
  var pending = PendingAnswers()
  var images = PendingImages()
  var imageAnswers = ImageAnswers()
  var imageText = ImageText()
  var json = NumberText(#"{"value":"#, "}")
  var text = NumberText("", "\n")
  var name = NameBuffer()
  var now = Instant.now

  init(_ access: Access, _ figures: LoopFigures) {
    self.access = access
    self.figures = figures
  }

  /// When the next round must begin, even without an event.
  var deadline: Instant { images.deadline }

  /// Begins a round: answers images that have waited too long.
  mutating func beginRound(_ now: Instant, _ server: inout Server) {
    self.now = now
    if now >= images.deadline { respondLateImages(&server) }
  }

  /// Handles the request that the server returned last.
  mutating func handle(
    _ endpoint: Endpoint, _ request: Request, _ server: inout Server, _ counting: inout GroupCommit
  ) {
    if endpoint == .hit, countPlainHit(request, server.requestBytes, &counting) { return }
    if let kind = endpoint.image {
      return handleImage(kind, isHit: endpoint.isHitOfImage, request, &server, &counting)
    }
    if !request.query.isEmpty, handleImageByQuery(endpoint, request, &server, &counting) { return }
    let read: CounterRequest
    do throws(Problem) {
      let reader = try CounterRequestReader(endpoint, request, server.requestBytes)
      read = try reader.read(&name, access)
    } catch {
      let callback =
        endpoint.isHitOrGet
        ? QueryParameters.callback(request.query, of: server.requestBytes) : nil
      respondProblem(request.exchange, error, callback: callback, &server)
      return
    }
    carryOut(read, request, &server, &counting)
  }

  /// Counts what nearly all requests are: a hit of a counter that the path names without percent-encoding. It
  /// needs no name but the one in the request, and saves 870 instructions.
  ///
  /// - Returns: false when the request is another one, or cannot be counted.
  @inline(__always)
  private func countPlainHit(
    _ request: Request, _ bytes: Span<UInt8>, _ counting: inout GroupCommit
  ) -> Bool {
    let (namespace, key) = (request.parameters[0], request.parameters[1])
    // A comparison of methods by `==` would be a call from another module.
    guard case .get = request.method, request.hasPlainPath, request.query.isEmpty,
      access.isOpen, CounterName.isPlain(namespace, in: bytes),
      CounterName.isPlain(key, in: bytes)
    else { return false }
    let isText = MediaPreference.isText(bytes, request)
    return counting.visit(
      AnswerTicket(request.exchange, isText ? .text : .json).ticket,
      bytes.extracting(namespace.lowerBound..<key.upperBound), .hit)
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
      guard let index = pending.insert(answer) else {
        return respond(answer, .unavailable, &server)
      }
      ticket = AnswerTicket(pending: index)
    }
    let isWaiting: Bool
    switch read.operation {
    case .visit(let action): isWaiting = counting.visit(ticket.ticket, name.name, action)
    case .addOnce(let amount, let key):
      isWaiting = counting.addOnce(
        ticket.ticket, name.name, amount,
        idempotencyKey: server.requestBytes.extracting(request.header).extracting(key))
    case .list(let cursor):
      isWaiting = counting.list(ticket.ticket, name.namespaceText, cursor: cursor)
    case .readAll(let keys): return readAll(keys, ticket.index, &server, &counting)
    }
    if !isWaiting { handleOutcome(.unavailable, ticket, &server) }
  }

  private mutating func readAll(
    _ keys: [Range<Int>], _ index: Int, _ server: inout Server, _ counting: inout GroupCommit
  ) {
    for (part, key) in keys.enumerated() {
      let ticket = AnswerTicket(pending: index, part: part)
      // The reader has checked all keys.
      let isNamed = (try? name.setKey(key, of: server.requestBytes, .query)) != nil
      if !isNamed || !counting.visit(ticket.ticket, name.name, .read) {
        handleOutcome(.unavailable, ticket, &server)
      }
    }
  }
}
