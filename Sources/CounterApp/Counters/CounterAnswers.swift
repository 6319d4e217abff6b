import HTTP

/// The heads of the responses to requests for counters. Pages of any origin may read them, and nobody keeps
/// them.
struct CounterAnswers: ~Copyable {
  var json = RepeatedHead(json())
  let created = ResponseHead(.created, [jsonType] + shared)
  let replayed = json([replay])
  let text = text()
  let replayedText = text([replay])
  let script = script()
  let replayedScript = script([replay])

  static func json(_ fields: [ResponseHead.Field] = []) -> ResponseHead {
    ResponseHead(.ok, [jsonType] + fields + shared)
  }

  static func text(_ fields: [ResponseHead.Field] = []) -> ResponseHead {
    ResponseHead(.ok, [textType] + fields + shared)
  }

  private static func script(_ fields: [ResponseHead.Field] = []) -> ResponseHead {
    ResponseHead(
      .ok, [scriptType, ("Cross-Origin-Resource-Policy", "cross-origin")] + fields + shared)
  }

  /// The problems that clients who make names up can cause without end.
  let absent = PreparedProblem(.absent)
  let tooManyCounters = PreparedProblem(.tooManyCounters)

  private static let jsonType: ResponseHead.Field = ("Content-Type", "application/json")
  private static let textType: ResponseHead.Field = ("Content-Type", "text/plain; charset=utf-8")
  private static let scriptType: ResponseHead.Field = (
    "Content-Type", "text/javascript; charset=utf-8"
  )
  private static let replay: ResponseHead.Field = ("Idempotent-Replayed", "true")

  private static let shared: [ResponseHead.Field] = [
    ResponseHead.anyOrigin, ("Access-Control-Expose-Headers", "Idempotent-Replayed, Link"), notKept,
  ]

  /// Image proxies and browsers must ask again each time.
  static let notKept: ResponseHead.Field = (
    "Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"
  )
}

/// The response to a problem, rendered once.
struct PreparedProblem: ~Copyable {
  let head: ResponseHead
  private let bytes: [UInt8]

  init(_ problem: Problem) {
    head = ResponseHead.problem(problem.status, problem.fields)
    bytes = Array(problem.body.text.utf8)
  }

  var body: Span<UInt8> {
    @_lifetime(borrow self)
    get { bytes.span }
  }
}
