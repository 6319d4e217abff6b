import HTTP
import BasicContainers
import System

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

  /// The body of /health, which probes compare.
  static let healthy: StaticString = "Microservice a is ready!"

  private static let html: ResponseHead.Field = ("Content-Type", "text/html; charset=utf-8")
  private static let notStored: ResponseHead.Field = ("Cache-Control", "no-store")
}

/// The text that tells a visitor the number of the visit.
///
/// It is kept from visit to visit, because most numbers follow the one before: adding one to the last
/// digit in place saves some 80 instructions a visit.
struct VisitText: ~Copyable, ResponseBody {
  private var bytes = UniqueArray<UInt8>()
  private var number: Int64 = -1

  static var before: StaticString { "Hello World! I have been seen " }
  static var after: StaticString { " times.\n" }

  init() { render() }

  var count: Int { bytes.count }

  func write(to output: inout OutputSpan<UInt8>) { output.append(bytes.span) }

  /// Makes it the text of a visit.
  @inline(__always)
  mutating func setNumber(_ number: Int64) {
    let lastDigit = bytes.count &- Self.after.utf8CodeUnitCount &- 1
    let follows = number == self.number &+ 1 && number > 0
    self.number = number
    if follows, bytes[lastDigit] < UInt8(ascii: "9") {
      bytes[lastDigit] &+= 1
    } else {
      render()
    }
  }

  @inline(never)
  private mutating func render() {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(addingCount: 64) { output in
      output.append(Self.before)
      output.append(decimal: number)
      output.append(Self.after)
    }
  }
}
