import Counting
import HTTP

/// What a request for counters asks for. The name of the counter is in the `NameBuffer`.
struct CounterRequest {
  let operation: Operation
  let answer: Answer

  enum Operation {
    case visit(Action)
    /// Adds once. The range is that of the idempotency key in the header.
    case addOnce(Int64, idempotencyKey: Range<Int>)
    /// Reads several counters. The ranges are those of their keys in the request.
    case readAll([Range<Int>])
    case list(cursor: UInt64)
  }

  enum Answer {
    case form(AnswerTicket.Form)
    case content(PendingAnswer.Content)
  }

  init(_ operation: Operation, _ answer: Answer) {
    self.operation = operation
    self.answer = answer
  }

  init(_ action: Action, _ form: AnswerTicket.Form) {
    self.init(.visit(action), .form(form))
  }
}

/// Reads and checks a request for counters.
struct CounterRequestReader: ~Escapable {
  private let endpoint: Endpoint
  private let request: Request
  private let bytes: Span<UInt8>
  private let fields: HeaderFields
  private let query: QueryParameters

  /// - Parameter bytes: what the ranges of the request refer to.
  @_lifetime(copy bytes)
  @inline(__always)
  init(
    _ endpoint: Endpoint, _ request: Request, _ bytes: Span<UInt8>
  ) throws(Problem) {
    self.endpoint = endpoint
    self.request = request
    self.bytes = bytes
    if endpoint.isHitOrGet, request.method != .post {
      fields = HeaderFields()
    } else {
      fields = HeaderFields(bytes.extracting(request.header))
      try fields.checkConditions(of: request.method)
    }
    query =
      request.query.isEmpty ? QueryParameters() : try QueryParameters(request.query, of: bytes)
    if endpoint.isHitOrGet { try query.checkCallback(in: bytes) }
  }

  /// - Parameter name: becomes the name of the counter that the request is about.
  @inline(__always)
  func read(
    _ name: inout NameBuffer, _ access: borrowing Access
  ) throws(Problem) -> CounterRequest {
    try readName(&name, access)
    switch endpoint {
    case .hit, .hitByQuery: return try readHit(name, access)
    case .get, .getByQuery: return try readGet(&name)
    default: return try readManagement(name, access)
    }
  }

  /// Reads and checks the name of the counter.
  @inline(__always)
  func readName(_ name: inout NameBuffer, _ access: borrowing Access) throws(Problem) {
    switch endpoint {
    case .hit, .get, .counter, .stream, .live:
      try name.setNamespace(request.parameters[0], of: bytes)
      try access.checkNamespace(name)
      try name.setKey(request.parameters[1], of: bytes, .path)
    default: try readNameOfQuery(&name, access)
    }
  }

  /// Reads a name whose key is in the query. A list has no key, and several keys are read later.
  @inline(never)
  private func readNameOfQuery(
    _ name: inout NameBuffer, _ access: borrowing Access
  ) throws(Problem) {
    try name.setNamespace(request.parameters[0], of: bytes)
    if query.keyCount == 0, endpoint != .namespace {
      // As with CountAPI, a name of one part is a key of the namespace `default`.
      name.setDefaultNamespace()
      try access.checkNamespace(name)
      try name.setKey(request.parameters[0], of: bytes, .path)
    } else {
      guard query.keyCount <= 1 || endpoint == .getByQuery else { throw .severalKeys }
      try access.checkNamespace(name)
      if let key = query.key { try name.setKey(key, of: bytes, .query) }
    }
  }

  /// Whether the client prefers plain text to JSON.
  @inline(__always)
  private var prefersText: Bool { MediaPreference.isText(bytes, request) }

  /// Checks that the request carries a token for its namespace.
  private func checkToken(
    _ name: borrowing NameBuffer, _ access: borrowing Access, missing: Problem = .tokenMissing
  ) throws(Problem) {
    let tokens = access.tokens.current
    guard !tokens.isEmpty else { throw .noTokens }
    guard let field = fields.authorization else { throw missing }
    let header = bytes.extracting(request.header)
    let value = field.value
    let scheme = value.lowerBound..<min(value.lowerBound + 6, value.upperBound)
    var start = scheme.upperBound
    while start < value.upperBound, header[start] == UInt8(ascii: " ") { start += 1 }
    guard !field.isRepeated, header.spells("bearer", scheme), start > scheme.upperBound else {
      throw .tokenUnknown
    }
    let token = header.extracting(start..<value.upperBound)
    switch tokens.permission(of: token, for: name.namespaceText) {
    case .granted: return
    case .otherNamespace: throw .tokenOfOtherNamespace
    case .unknown: throw .tokenUnknown
    }
  }
}

// MARK: - Hits and reads

extension CounterRequestReader {
  @inline(__always)
  private func readHit(
    _ name: borrowing NameBuffer, _ access: borrowing Access
  ) throws(Problem) -> CounterRequest {
    guard request.method != .head else { return CounterRequest(.visit(.read), try readAnswer()) }
    try access.checkOrigin(of: bytes.extracting(request.header), name)
    guard fields.idempotencyKey == nil, query.amount == nil else {
      return try readAdd(name, access)
    }
    return CounterRequest(.visit(.hit), try hitAnswer())
  }

  private func readGet(_ name: inout NameBuffer) throws(Problem) -> CounterRequest {
    guard endpoint == .getByQuery, query.keyCount > 1 else {
      return CounterRequest(.visit(.read), try readAnswer())
    }
    let ranges = try QueryParameters.keys(request.query, of: bytes)
    var keys: [String] = []
    for range in ranges {
      try name.setKey(range, of: bytes, .query)
      keys.append(name.keyText)
    }
    let gathering = PendingAnswer.Gathering(
      keys, isText: prefersText, callback: try readCallback())
    return CounterRequest(.readAll(ranges), .content(.counters(gathering)))
  }

  /// Reads a request that adds an amount, or has an idempotency key.
  private func readAdd(
    _ name: borrowing NameBuffer, _ access: borrowing Access
  ) throws(Problem) -> CounterRequest {
    var amount: Int64 = 1
    if let range = query.amount {
      guard request.method == .post else { throw .amountWithoutPost }
      guard let number: Int64 = try QueryParameters.integer(range, of: bytes), number != 0 else {
        throw .malformedAmount
      }
      amount = number
    }
    guard let key = fields.idempotencyKey else {
      try checkToken(name, access)
      return CounterRequest(.visit(.add(amount)), try hitAnswer())
    }
    let header = bytes.extracting(request.header)
    guard (1...255).contains(key.value.count), !key.isRepeated,
      key.value.allSatisfy({ header[$0] > 0x20 && header[$0] < 0x7F })
    else { throw .malformedIdempotencyKey }
    try checkToken(
      name, access, missing: query.amount == nil ? .idempotencyNeedsToken : .tokenMissing)
    return CounterRequest(.addOnce(amount, idempotencyKey: key.value), try hitAnswer())
  }

  @inline(__always)
  private func hitAnswer() throws(Problem) -> CounterRequest.Answer {
    if let callback = try readCallback() {
      return .content(.script(callback: callback, isRead: false))
    }
    return .form(prefersText ? .text : .json)
  }

  private func readAnswer() throws(Problem) -> CounterRequest.Answer {
    if let callback = try readCallback() {
      return .content(.script(callback: callback, isRead: true))
    }
    return .form(prefersText ? .readText : .readJSON)
  }

  @inline(__always)
  private func readCallback() throws(Problem) -> String? {
    guard let callback = query.callback else { return nil }
    return try QueryParameters.text(callback, of: bytes)
  }
}

// MARK: - Management

extension CounterRequestReader {
  private func readManagement(
    _ name: borrowing NameBuffer, _ access: borrowing Access
  ) throws(Problem) -> CounterRequest {
    let isRead = request.method == .get || request.method == .head
    if endpoint == .namespace, query.key == nil {
      guard isRead else { throw .missingKey }
      try checkToken(name, access)
      return try readList(name)
    }
    if isRead {
      let content = PendingAnswer.Content.counter(
        namespace: name.namespaceText, key: name.keyText)
      return CounterRequest(.visit(.read), .content(content))
    }
    try checkToken(name, access)
    return request.method == .put
      ? CounterRequest(try readSet(), .change) : CounterRequest(.remove, .change)
  }

  private func readSet() throws(Problem) -> Action {
    guard let range = query.value else { throw .missingValue }
    guard let value: Int64 = try QueryParameters.integer(range, of: bytes) else {
      throw .malformedValue
    }
    guard let condition = fields.ifNoneMatch else { return .set(value) }
    guard bytes.extracting(request.header).spells("*", condition.value), !condition.isRepeated
    else {
      throw .unknownPrecondition
    }
    return .create(value)
  }

  private func readList(_ name: borrowing NameBuffer) throws(Problem) -> CounterRequest {
    var cursor: UInt64 = 0
    if let range = query.cursor {
      guard let number: UInt64 = try QueryParameters.integer(range, of: bytes) else {
        throw .malformedCursor
      }
      cursor = number
    }
    let content = PendingAnswer.Content.list(
      namespace: name.namespaceText, isText: prefersText)
    return CounterRequest(.list(cursor: cursor), .content(content))
  }
}
