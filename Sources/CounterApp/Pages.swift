import HTTP
import System

/// What is answered here.
enum Endpoint: Int, CaseIterable {
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

  var route: Route {
    switch self {
    case .visit, .health, .ready: Route(path, [.get, .head])
    }
  }
}

/// The heads and bodies of the responses.
struct Pages: ~Copyable {
  let visit = ResponseHead(.ok, [html, notStored])
  let notCounted = ResponseHead.text(.unavailable, [("Retry-After", "1"), notStored])
  let health = ResponseHead(.ok, [html])
  let ready = ResponseHead.text(.ok, [notStored])
  let unavailable = ResponseHead.text(.unavailable, [notStored])

  static let retryLater = ConstantBody("The visit could not be counted. Please try again.\n")
  static let isReady = ConstantBody("ready")
  static let isWithoutRedis = ConstantBody("Redis does not answer")
  static let isDraining = ConstantBody("draining")

  // What a visitor and a probe find in the answer of a counter that is well.
  static let healthy: StaticString = "Microservice a is ready!"

  private static let html: ResponseHead.Field = ("Content-Type", "text/html; charset=utf-8")
  private static let notStored: ResponseHead.Field = ("Cache-Control", "no-store")
}

/// The text that tells a visitor the number of the visit.
struct VisitText: ResponseBody {
  let number: Int64
  private let width: Int

  static var before: StaticString { "Hello World! I have been seen " }
  static var after: StaticString { " times.\n" }

  @inline(__always)
  init(_ number: Int64) {
    self.number = number
    width = Decimal.width(of: number)
  }

  var count: Int { Self.before.utf8CodeUnitCount + width + Self.after.utf8CodeUnitCount }

  func write(to output: inout OutputSpan<UInt8>) {
    output.append(Self.before)
    output.append(decimal: number, width: width)
    output.append(Self.after)
  }
}
