import BasicContainers
import System

/// The body of an error response, as JSON (RFC 9457). Beside the members of the RFC it has `error`, with the
/// same text as `detail`, which clients of other counters look for.
package struct ProblemBody: ResponseBody {
  private let status: Status
  private let detail: StaticString
  private let members: StaticString

  /// - Parameters:
  ///   - detail: what went wrong, in a sentence that needs no escaping in JSON.
  ///   - members: further members of the object, each with a comma before it.
  package init(_ status: Status, _ detail: StaticString, members: StaticString = "") {
    self.status = status
    self.detail = detail
    self.members = members
  }

  private static var start: StaticString { #"{"type":"about:blank","title":""# }
  private static var beforeStatus: StaticString { #"","status":"# }
  private static var beforeDetail: StaticString { #","detail":""# }
  private static var beforeError: StaticString { #"","error":""# }

  package var count: Int {
    let constants = [
      Self.start, Self.beforeStatus, Self.beforeDetail, Self.beforeError, "\"", members, "}",
    ]
    return constants.reduce(0) { $0 + $1.utf8CodeUnitCount } + status.phrase.utf8CodeUnitCount
      + 3 + 2 * detail.utf8CodeUnitCount
  }

  package func write(to output: inout OutputSpan<UInt8>) {
    output.append(Self.start)
    output.append(status.phrase)
    output.append(Self.beforeStatus)
    output.append(decimal: Int64(status.rawValue))
    output.append(Self.beforeDetail)
    output.append(detail)
    output.append(Self.beforeError)
    output.append(detail)
    output.append("\"")
    output.append(members)
    output.append("}")
  }

  /// The body as text.
  package var text: String {
    var bytes = ByteBuffer()
    bytes.append(addingCount: count) { write(to: &$0) }
    return String(copying: bytes.span)
  }
}

extension ResponseHead {
  /// Lets pages of any origin read a response (https://fetch.spec.whatwg.org/#http-cors-protocol).
  package static var anyOrigin: Field { ("Access-Control-Allow-Origin", "*") }

  /// Renders the head of a response whose body is a `ProblemBody`.
  package static func problem(_ status: Status, _ fields: [Field] = []) -> ResponseHead {
    ResponseHead(
      status,
      [
        ("Content-Type", "application/problem+json"), anyOrigin,
        ("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate"),
        ("Cache-Control", "no-store"),
      ] + fields)
  }
}
