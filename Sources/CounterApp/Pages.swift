import HTTP

/// The paths that are answered here.
enum Route: Int, CaseIterable {
  case visit
  case health
  case ready

  var path: StaticString {
    switch self {
    case .visit: "/"
    case .health: "/health"
    case .ready: "/ready"
    }
  }
}

/// What the paths are answered with.
struct Pages: ~Copyable {
  var visit = NumberedResponse(
    Response(.ok, [html, notStored], body: beforeNumber, afterNumber: afterNumber))
  let notCounted = Response.text(
    .unavailable, "The visit could not be counted. Please try again.\n",
    [("Retry-After", "1"), notStored])
  let health = Response(.ok, [html], body: healthy)
  let ready = Response.text(.ok, "ready", [notStored])
  let withoutRedis = Response.text(.unavailable, "Redis does not answer", [notStored])
  let draining = Response.text(.unavailable, "draining", [notStored])

  // What a visitor and a probe find in the answer of a counter that is well.
  static let beforeNumber: StaticString = "Hello World! I have been seen "
  static let afterNumber: StaticString = " times.\n"
  static let healthy: StaticString = "Microservice a is ready!"

  private static let html: Response.Field = ("Content-Type", "text/html; charset=utf-8")
  private static let notStored: Response.Field = ("Cache-Control", "no-store")
}
