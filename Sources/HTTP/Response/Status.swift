/// The status codes this server answers with (RFC 9110 section 15; 431: RFC 6585 section 5).
package enum Status: Int, CaseIterable, Sendable {
  case ok = 200
  case created = 201
  case notModified = 304
  case badRequest = 400
  case unauthorized = 401
  case forbidden = 403
  case notFound = 404
  case methodNotAllowed = 405
  case requestTimeout = 408
  case conflict = 409
  case preconditionFailed = 412
  case contentTooLarge = 413
  case targetTooLong = 414
  case expectationFailed = 417
  case unprocessable = 422
  case headerTooLarge = 431
  case notImplemented = 501
  case unavailable = 503
  case versionNotSupported = 505

  /// The reason phrase that goes with the code.
  package var phrase: StaticString {
    switch self {
    case .ok: "OK"
    case .created: "Created"
    case .notModified: "Not Modified"
    case .badRequest: "Bad Request"
    case .unauthorized: "Unauthorized"
    case .forbidden: "Forbidden"
    case .notFound: "Not Found"
    case .methodNotAllowed: "Method Not Allowed"
    case .requestTimeout: "Request Timeout"
    case .conflict: "Conflict"
    case .preconditionFailed: "Precondition Failed"
    case .contentTooLarge: "Content Too Large"
    case .targetTooLong: "URI Too Long"
    case .expectationFailed: "Expectation Failed"
    case .unprocessable: "Unprocessable Content"
    case .headerTooLarge: "Request Header Fields Too Large"
    case .notImplemented: "Not Implemented"
    case .unavailable: "Service Unavailable"
    case .versionNotSupported: "HTTP Version Not Supported"
    }
  }
}
