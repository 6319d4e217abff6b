import BasicContainers
import System

/// The bytes of the connection that is being read. All connections share the buffer: it holds what
/// was kept of an incomplete request and what came with one `recv`, until its requests are parsed.
struct RequestReader: ~Copyable {
  private(set) var bytes = ByteBuffer(minimumCapacity: readSize)

  /// The connection that the bytes belong to, as long as some of them are not parsed.
  private(set) var slot: Int?

  /// The number of bytes that were parsed.
  private(set) var parsedEnd = 0

  /// The bytes of the last request that had a body.
  private var completed = ByteBuffer()

  /// Whether the last request had a body.
  private var isCompleted = false

  /// The most bytes that are read from a connection at a time: a few hundred of the shortest
  /// requests. A client that sends thousands at once then leaves the others their turn.
  static var readSize: Int { 1 << 13 }

  var hasUnparsed: Bool { parsedEnd < bytes.count }

  /// The bytes that the last request was parsed from.
  var requestBytes: Span<UInt8> {
    @inline(__always)
    @_lifetime(borrow self)
    get { isCompleted ? completed.span : bytes.span }
  }

  /// Begins with what was kept of a header, if anything, and reads once.
  ///
  /// - Returns: the number of bytes that came; 0 at the end; nil when none are there.
  @inline(__always)
  mutating func receive(_ connection: borrowing ClientConnection) throws(SystemError) -> Int? {
    load(connection.keptHeader)
    var count: Int?
    try bytes.append(addingCount: Self.readSize) { span throws(SystemError) in
      count = try connection.socket.receive(into: &span)
    }
    return count
  }

  /// Begins with bytes that were kept.
  @inline(__always)
  mutating func load(_ kept: Span<UInt8>) {
    precondition(slot == nil, "the bytes of another connection are not parsed yet")
    bytes.removeAll(keepingCapacity: true)
    parsedEnd = 0
    if !kept.isEmpty { bytes.append(copying: kept) }
  }

  /// Gives the bytes an owner, whose requests are parsed next.
  mutating func acquire(_ slot: Int) { self.slot = slot }

  /// Gives up the bytes' owner. They stay where they are for the last request.
  mutating func release() { slot = nil }

  /// The header of the last request among `requestBytes`.
  @inline(__always)
  func headerRange(_ length: Int) -> Range<Int> {
    isCompleted ? 0..<length : parsedEnd &- length..<parsedEnd
  }

  /// Moves on behind bytes that were parsed.
  @inline(__always)
  mutating func advance(_ count: Int) {
    parsedEnd &+= count
    isCompleted = false
  }

  /// Moves on behind an empty line that stands alone, which some old clients send behind a body (RFC 9112
  /// section 2.2). It does not begin a request.
  ///
  /// - Returns: whether there was one.
  @inline(__always)
  mutating func skipEmptyLine() -> Bool {
    guard bytes.count == parsedEnd &+ 2, bytes.span.isEndOfLine(at: parsedEnd) else { return false }
    parsedEnd &+= 2
    return true
  }

  /// Makes the header of a request whose body is complete the bytes of the last request, with the body
  /// behind it if the route asked for that.
  mutating func complete(_ request: consuming ByteBuffer) {
    completed = request
    isCompleted = true
  }

  /// Parses the header that `complete` was given.
  @inline(never)
  func parseCompleted(_ limits: borrowing Limits) throws(RequestError) -> RequestHead? {
    try RequestParser.parse(completed, from: 0, limits)
  }

  /// Whether none of the bytes from an index on ends a line, so that a header that comes byte by byte
  /// is not parsed from its start each time.
  func hasNoLineEnd(from start: Int) -> Bool {
    for index in start..<bytes.count where bytes[index] == .lineFeed { return false }
    return true
  }

  /// Whether a whole header is among the bytes that were not parsed.
  var hasUnparsedHeader: Bool {
    var end = parsedEnd &+ 3
    while end < bytes.count {
      if bytes[end] == .lineFeed, bytes[end - 1] == .carriageReturn, bytes[end - 2] == .lineFeed {
        return true
      }
      end &+= 1
    }
    return false
  }
}

/// Connections that have something to read, or that go on after a pause, in the order in which this
/// was noticed.
struct ReadyQueue: ~Copyable {
  private var entries = UniqueArray<Event>()
  private var first = 0

  var isEmpty: Bool { first == entries.count }

  /// Adds a connection.
  ///
  /// - Parameter event: its token, and what was seen; nothing for one that goes on after a pause.
  mutating func append(_ event: Event) { entries.append(event) }

  mutating func popFirst() -> Event? {
    guard !isEmpty else {
      entries.removeAll(keepingCapacity: true)
      first = 0
      return nil
    }
    defer { first &+= 1 }
    return entries[first]
  }
}
