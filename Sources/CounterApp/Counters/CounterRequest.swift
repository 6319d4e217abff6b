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
  private let access: Access
  private let fields: HeaderFields
  private let query: QueryParameters?

  /// - Parameter bytes: what the ranges of the request refer to.
  @_lifetime(copy bytes)
  @inline(__always)
  init(
    _ endpoint: Endpoint, _ request: Request, _ bytes: Span<UInt8>, _ access: Access
  ) throws(Problem) {
    self.endpoint = endpoint
    self.request = request
    self.bytes = bytes
    self.access = access
    fields = HeaderFields(bytes.extracting(request.header))
    query = request.query.isEmpty ? nil : try QueryParameters(request.query, of: bytes)
    if endpoint.takesCallback, let callback = query?.callback,
      !QueryParameters.isCallback(callback)
    {
      throw .malformedCallback
    }
  }

  /// - Parameter name: becomes the name of the counter that the request is about.
  @inline(__always)
  func read(_ name: inout NameBuffer) throws(Problem) -> CounterRequest {
    try name.setNamespace(request.parameters[0], of: bytes)
    switch endpoint {
    case .hit, .hitByQuery: return try readHit(&name)
    case .get, .getByQuery: return try readGet(&name)
    default: return try readManagement(&name)
    }
  }

  /// Completes the name with the key, from the path or from the query.
  @inline(__always)
  private func readKey(_ name: inout NameBuffer) throws(Problem) {
    switch endpoint {
    case .hit, .get, .counter:
      try checkNamespace(name)
      try name.setKey(request.parameters[1], of: bytes, .path)
    default: try readKeyOfQuery(&name)
    }
  }

  private func readKeyOfQuery(_ name: inout NameBuffer) throws(Problem) {
    if let keys = query?.keys, !keys.isEmpty {
      guard keys.count == 1 else { throw .severalKeys }
      try checkNamespace(name)
      try name.setKey(keys[0], of: bytes, .query)
    } else {
      // As with CountAPI, a name of one part is a key of the namespace `default`.
      name.setDefaultNamespace()
      try checkNamespace(name)
      try name.setKey(request.parameters[0], of: bytes, .path)
    }
  }

  @inline(__always)
  private func checkNamespace(_ name: borrowing NameBuffer) throws(Problem) {
    guard let namespaces = access.namespaces else { return }
    guard namespaces.contains(name.namespaceText) else { throw .unknownNamespace }
  }

  /// Checks that the request carries a token for its namespace.
  private func checkToken(
    _ name: borrowing NameBuffer, missing: Problem = .tokenMissing
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
  private func readHit(_ name: inout NameBuffer) throws(Problem) -> CounterRequest {
    try readKey(&name)
    guard request.method != .head else { return CounterRequest(.visit(.read), readAnswer) }
    guard fields.idempotencyKey == nil, query?.amount == nil else { return try readAdd(name) }
    return CounterRequest(.visit(.hit), hitAnswer)
  }

  private func readGet(_ name: inout NameBuffer) throws(Problem) -> CounterRequest {
    guard endpoint == .getByQuery, let query, query.keys.count > 1 else {
      try readKey(&name)
      return CounterRequest(.visit(.read), readAnswer)
    }
    try checkNamespace(name)
    var keys: [String] = []
    for key in query.keys {
      try name.setKey(key, of: bytes, .query)
      keys.append(name.keyText)
    }
    let gathering = PendingAnswer.Gathering(keys)
    return CounterRequest(
      .readAll(query.keys),
      .content(.counters(gathering, isText: fields.prefersText, callback: query.callback)))
  }

  /// Reads a request that adds an amount, or has an idempotency key.
  private func readAdd(_ name: borrowing NameBuffer) throws(Problem) -> CounterRequest {
    var amount: Int64 = 1
    if let text = query?.amount {
      guard request.method == .post else { throw .amountWithoutPost }
      guard let number = QueryParameters.integer(text), number != 0 else { throw .malformedAmount }
      amount = number
    }
    guard let key = fields.idempotencyKey else {
      try checkToken(name)
      return CounterRequest(.visit(.add(amount)), hitAnswer)
    }
    guard request.method == .post else { throw .idempotencyWithoutPost }
    let header = bytes.extracting(request.header)
    guard (1...255).contains(key.value.count), !key.isRepeated,
      key.value.allSatisfy({ header[$0] > 0x20 && header[$0] < 0x7F })
    else { throw .malformedIdempotencyKey }
    try checkToken(name, missing: query?.amount == nil ? .idempotencyNeedsToken : .tokenMissing)
    return CounterRequest(.addOnce(amount, idempotencyKey: key.value), hitAnswer)
  }

  private var hitAnswer: CounterRequest.Answer {
    if let callback = query?.callback {
      return .content(.script(callback: callback, isRead: false))
    }
    return .form(fields.prefersText ? .text : .json)
  }

  private var readAnswer: CounterRequest.Answer {
    if let callback = query?.callback {
      return .content(.script(callback: callback, isRead: true))
    }
    return .form(fields.prefersText ? .readText : .readJSON)
  }
}

// MARK: - Management

extension CounterRequestReader {
  private func readManagement(_ name: inout NameBuffer) throws(Problem) -> CounterRequest {
    let isRead = request.method == .get || request.method == .head
    if endpoint == .namespace, query?.keys.isEmpty ?? true {
      guard isRead else { throw .missingKey }
      return try readList(name)
    }
    try readKey(&name)
    if isRead {
      let content = PendingAnswer.Content.counter(
        namespace: name.namespaceText, key: name.keyText)
      return CounterRequest(.visit(.read), .content(content))
    }
    try checkToken(name)
    return request.method == .put
      ? CounterRequest(try readSet(), .change) : CounterRequest(.remove, .change)
  }

  private func readSet() throws(Problem) -> Action {
    guard let text = query?.value else { throw .missingValue }
    guard let value = QueryParameters.integer(text) else { throw .malformedValue }
    guard let field = fields.ifNoneMatch else { return .set(value) }
    guard bytes.extracting(request.header).spells("*", field.value), !field.isRepeated else {
      throw .unknownPrecondition
    }
    return .create(value)
  }

  private func readList(_ name: borrowing NameBuffer) throws(Problem) -> CounterRequest {
    try checkNamespace(name)
    try checkToken(name)
    var cursor: UInt64 = 0
    if let text = query?.cursor {
      guard !text.hasPrefix("+"), let number = UInt64(text) else { throw .malformedCursor }
      cursor = number
    }
    return CounterRequest(
      .list(cursor: cursor), .content(.list(namespace: name.namespaceText)))
  }
}
