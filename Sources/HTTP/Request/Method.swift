/// A request method that is known here (RFC 9110 section 9.3).
package enum Method: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  case get
  case head
  case post
  case put
  case delete
  case options
  case connect
  /// Any other. No route allows it.
  case other

  /// As it is sent, in this case.
  var name: StaticString {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .connect: "CONNECT"
    case .other: ""
    }
  }

  /// - Parameter token: the range of the method in `bytes`.
  init(_ token: Range<Int>, in bytes: Span<UInt8>) {
    self = .other
    for number in 0..<Self.other.rawValue {
      guard let method = Self(rawValue: number) else { break }
      if method.name.utf8CodeUnitCount == token.count,
        bytes.starts(with: method.name, at: token.lowerBound)
      {
        self = method
      }
    }
  }
}

/// Methods that a route allows. OPTIONS is always among them: the server answers it.
package struct MethodSet: OptionSet, Sendable, BitwiseCopyable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  private init(_ method: Method) { rawValue = 1 << method.rawValue }

  package static let get = MethodSet(.get)
  package static let head = MethodSet(.head)
  package static let post = MethodSet(.post)
  package static let put = MethodSet(.put)
  package static let delete = MethodSet(.delete)

  @inline(__always)
  func contains(_ method: Method) -> Bool { rawValue &>> method.rawValue & 1 != 0 }

  /// The value of an Allow field (RFC 9110 section 10.2.1).
  var allow: String {
    let allowed = Method.allCases.filter { contains($0) || $0 == .options }
    return allowed.map { "\($0.name)" }.joined(separator: ", ")
  }
}
