import Counting
import HTTP
import System

/// Serves the streams of counters, and the page that shows one.
struct LiveService: ~Copyable {
  private let access: Access
  private var streams: LiveStreams
  private let page = EmbeddedFile.livePage
  private var name = NameBuffer()

  init(_ access: Access, mostStreams: Int, _ figures: LoopFigures) {
    self.access = access
    streams = LiveStreams(most: mostStreams, figures)
  }

  /// When the next round must begin, even without an event.
  var deadline: Instant { streams.deadline }

  /// Begins a round.
  @inline(__always)
  mutating func beginRound(_ now: Instant) { streams.beginRound(now) }

  /// Reads the counters that are watched, when they are due.
  @inline(__always)
  mutating func readIfDue(_ server: inout Server, _ counting: inout GroupCommit) {
    streams.readIfDue(&server, &counting)
  }

  /// Hands a number that was read to the streams of its counter.
  @inline(never)
  mutating func handleOutcome(
    _ result: Outcome.Result, _ ticket: AnswerTicket, _ server: inout Server
  ) {
    streams.handleOutcome(result, ticket.index, &server)
  }

  /// Ends all streams, and those that begin from now on.
  mutating func drain(_ server: inout Server) { streams.drain(&server) }

  /// Handles the request that the server returned last.
  @inline(never)
  mutating func handle(
    _ endpoint: Endpoint, _ request: Request, _ server: inout Server, _ counting: inout GroupCommit
  ) {
    let isOfHits = endpoint == .streamOfHits || endpoint == .liveOfHits
    if !isOfHits {
      do throws(Problem) {
        let reader = try CounterRequestReader(endpoint, request, server.requestBytes)
        try reader.readName(&name, access)
      } catch {
        server.respond(
          request.exchange, ResponseHead.problem(error.status, error.fields), error.body)
        return
      }
    }
    switch endpoint {
    case .live, .liveOfHits, .liveByQuery: page.respond(request, &server)
    default: streams.begin(request.exchange, isOfHits ? [] : name.copy, &server, &counting)
    }
  }
}
