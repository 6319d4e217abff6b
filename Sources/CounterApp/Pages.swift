import HTTP
import BasicContainers
import System

/// The heads and bodies of the responses.
struct Pages: ~Copyable {
  private var visit = RepeatedHead(ResponseHead(.ok, [html, notStored]))
  private var visitText = NumberText(beforeNumber, afterNumber)
  let notCounted = ResponseHead.text(.unavailable, [("Retry-After", "1"), notStored])
  let health = ResponseHead(.ok, [html])
  let ready = ResponseHead.text(.ok, [notStored])
  let unavailable = ResponseHead.text(.unavailable, [notStored])

  static let retryLater = ConstantBody("The visit could not be counted. Please try again.\n")
  static let isReady = ConstantBody("ready")
  static let isWithoutRedis = ConstantBody("Redis does not answer")
  static let isDraining = ConstantBody("draining")

  /// The body of /health, which probes compare.
  static let healthy: StaticString = "Microservice a is ready!"

  /// What the page of a visit says before and after its number.
  static let beforeNumber: StaticString = "Hello World! I have been seen "
  static let afterNumber: StaticString = " times.\n"

  private static let html: ResponseHead.Field = ("Content-Type", "text/html; charset=utf-8")
  private static let notStored: ResponseHead.Field = ("Cache-Control", "no-store")

  /// Tells a visitor the number of the visit.
  ///
  /// - Returns: whether the client is still there.
  @inline(__always)
  mutating func respondVisit(
    _ exchange: Exchange, _ number: Int64, _ server: inout Server
  ) -> Bool {
    visitText.setNumber(number)
    return visitText.respond(exchange, &visit, &server)
  }
}
