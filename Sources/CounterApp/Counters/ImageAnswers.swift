import HTTP

/// The heads of the responses with images. Every page may show them, and no one keeps them: an image proxy would
/// show an old number otherwise.
struct ImageAnswers: ~Copyable {
  var svg = RepeatedHead(
    ResponseHead(
      .ok,
      [
        ("Content-Type", "image/svg+xml; charset=utf-8"),
        // An image that is opened by itself is a page of this server.
        (
          "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        ),
      ] + shared))
  var json = RepeatedHead(ResponseHead(.ok, [("Content-Type", "application/json")] + shared))
  var gif = RepeatedHead(ResponseHead(.ok, [("Content-Type", "image/gif")] + shared))

  private static let shared: [ResponseHead.Field] = [
    ResponseHead.anyOrigin, ("Cross-Origin-Resource-Policy", "cross-origin"),
    CounterAnswers.notKept,
  ]
}
