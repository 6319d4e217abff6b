/// Why a request cannot be taken. Its connection is closed once the client was told, because
/// nothing tells where a next request would begin.
package enum RequestError: Error, Sendable, CaseIterable {
  case malformedRequestLine
  case malformedTarget
  case malformedField
  case malformedHost
  case ambiguousFraming
  case malformedBody
  case tooSlow
  case bodyTooLong
  case targetTooLong
  case headerTooLong
  case unknownExpectation
  case unknownMethod
  case unknownTransferCoding
  case unsupportedVersion

  /// What the client is answered.
  package var status: Status {
    switch self {
    case .malformedRequestLine, .malformedTarget, .malformedField, .malformedHost,
      .ambiguousFraming, .malformedBody:
      .badRequest
    case .tooSlow: .requestTimeout
    case .bodyTooLong: .contentTooLarge
    case .targetTooLong: .targetTooLong
    case .headerTooLong: .headerTooLarge
    case .unknownExpectation: .expectationFailed
    case .unknownMethod, .unknownTransferCoding: .notImplemented
    case .unsupportedVersion: .versionNotSupported
    }
  }

  /// What the client is told; it repeats nothing that the client sent.
  package var explanation: StaticString {
    switch self {
    case .malformedRequestLine: "The request line is malformed."
    case .malformedTarget: "The request target is malformed."
    case .malformedField: "A header field is malformed."
    case .malformedHost: "There must be one valid Host field."
    case .ambiguousFraming: "The length of the body is not clear."
    case .malformedBody: "The chunked body is malformed."
    case .tooSlow: "The request took too long to arrive."
    case .bodyTooLong: "The body is too long."
    case .targetTooLong: "The request target is too long."
    case .headerTooLong: "The header is too long."
    case .unknownExpectation: "The expectation is not known here."
    case .unknownMethod: "The method is not known here."
    case .unknownTransferCoding: "The transfer coding is not known here."
    case .unsupportedVersion: "Only HTTP/1.1 and HTTP/1.0 are spoken here."
    }
  }
}
