import Counting
import HTTP

/// Why a request for a counter is not carried out.
enum Problem: Error, Equatable {
  case name(NameError)
  case image(ImageError)
  case unknownNamespace
  case missingKey
  case severalKeys
  case tooManyKeys
  case malformedQuery
  case repeatedParameter
  case malformedCallback
  case malformedAmount
  case amountWithoutPost
  case malformedValue
  case missingValue
  case malformedCursor
  case malformedIdempotencyKey
  case unknownPrecondition
  case idempotencyNeedsToken
  case noTokens
  case tokenMissing
  case tokenUnknown
  case tokenOfOtherNamespace
  case otherOrigin
  case absent
  case exists
  case tooManyCounters
  case outOfRange
  case notAnInteger
  case keyReused
  case unavailable
  case tooManyStreams

  var status: Status {
    switch self {
    case .name, .image, .missingKey, .severalKeys, .tooManyKeys, .malformedQuery,
      .repeatedParameter,
      .malformedCallback, .malformedAmount, .amountWithoutPost, .malformedValue, .missingValue,
      .malformedCursor, .malformedIdempotencyKey, .unknownPrecondition:
      .badRequest
    case .idempotencyNeedsToken, .tokenMissing, .tokenUnknown: .unauthorized
    case .noTokens, .tokenOfOtherNamespace, .otherOrigin, .tooManyCounters: .forbidden
    case .unknownNamespace, .absent: .notFound
    case .outOfRange, .notAnInteger: .conflict
    case .exists: .preconditionFailed
    case .keyReused: .unprocessable
    case .unavailable, .tooManyStreams: .unavailable
    }
  }

  /// The reason, for people.
  var detail: StaticString {
    switch self {
    case .name(let error): error.rule
    case .image(let error): error.rule
    case .unknownNamespace: "This server does not have this namespace."
    case .missingKey: "The key is missing: put it into the path, or into ?key=."
    case .severalKeys: "Only /get takes several keys."
    case .tooManyKeys: "A request has at most 128 keys."
    case .malformedQuery: "The query is malformed: two hexadecimal digits follow a percent sign."
    case .repeatedParameter: "Only the parameter key can be repeated."
    case .malformedCallback:
      "A callback has 1 to 64 of A-Z, a-z, 0-9, _, $ and '.', and no digit or dot first."
    case .malformedAmount: "by is an integer of 64 bits other than 0."
    case .amountWithoutPost: "by needs the method POST."
    case .malformedValue: "value is an integer of 64 bits."
    case .missingValue: "The number is missing: put it into ?value=."
    case .malformedCursor: "cursor is what the page before returned."
    case .malformedIdempotencyKey:
      "An Idempotency-Key is one field of 1 to 255 visible ASCII characters."
    case .unknownPrecondition: "The only condition for a change is If-None-Match: * with PUT."
    case .idempotencyNeedsToken:
      "Idempotency-Key needs a token, because each key is kept for a day: Authorization: Bearer TOKEN."
    case .noTokens:
      "This server has no tokens. Its operator sets them with --tokens FILE or ADMIN_TOKEN."
    case .tokenMissing: "This request needs a token: Authorization: Bearer TOKEN."
    case .tokenUnknown: "The token is not known."
    case .tokenOfOtherNamespace: "The token belongs to another namespace."
    case .otherOrigin: "This page's origin may not count in this namespace."
    case .absent: "The counter does not exist."
    case .exists: "The counter exists already."
    case .tooManyCounters: "There are as many counters as may be; existing ones go on counting."
    case .outOfRange: "The number would leave 64 bits."
    case .notAnInteger: "The counter's key in Redis holds something else than an integer."
    case .keyReused: "The Idempotency-Key was used for another amount."
    case .unavailable: "Redis does not answer in time. Please try again."
    case .tooManyStreams: "As many streams are open as may be. Please try again."
    }
  }

  /// Header fields that belong to the status.
  var fields: [ResponseHead.Field] {
    switch self {
    case .tokenMissing, .idempotencyNeedsToken: [("WWW-Authenticate", "Bearer")]
    case .tokenUnknown: [("WWW-Authenticate", #"Bearer error="invalid_token""#)]
    case .unavailable: [("Retry-After", "1")]
    case .tooManyStreams: [("Retry-After", "10")]
    default: []
    }
  }

  /// Clients of CountAPI look for this in the answer for a counter that does not exist.
  var members: StaticString { self == .absent ? #","value":null"# : "" }

  var body: ProblemBody { ProblemBody(status, detail, members: members) }
}
