import HTTP

/// The heads of the responses to requests for counters. Pages of any origin may read them, and nobody keeps
/// them.
struct CounterAnswers: ~Copyable {
  let json = ResponseHead(.ok, [jsonType] + shared)
  let created = ResponseHead(.created, [jsonType] + shared)
  let replayed = ResponseHead(.ok, [jsonType, replay] + shared)
  let text = ResponseHead(.ok, [textType] + shared)
  let replayedText = ResponseHead(.ok, [textType, replay] + shared)
  let script = ResponseHead(
    .ok,
    [
      ("Content-Type", "text/javascript; charset=utf-8"),
      ("Cross-Origin-Resource-Policy", "cross-origin"),
    ] + shared)

  private static let jsonType: ResponseHead.Field = ("Content-Type", "application/json")
  private static let textType: ResponseHead.Field = ("Content-Type", "text/plain; charset=utf-8")
  private static let replay: ResponseHead.Field = ("Idempotent-Replayed", "true")

  /// Image proxies and browsers must ask again each time.
  private static let shared: [ResponseHead.Field] = [
    ResponseHead.anyOrigin, ("Access-Control-Expose-Headers", "Idempotent-Replayed"),
    ("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"),
  ]
}
