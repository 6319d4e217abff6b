import BasicContainers
import System
import Glibc
import Testing

@testable import HTTP

/// A server and its loop, turned by hand, with a clock that can be put forward.
struct ServerLoop: ~Copyable {
  let port: UInt16
  var server: Server
  private let poller: Poller
  private var events = Events()
  private var skipped = Interval.seconds(0)

  /// The requests that came and were not answered by the test yet.
  private(set) var waitingRequests: [Request] = []

  /// The texts of the request that came last.
  private(set) var texts = RequestTexts()

  struct RequestTexts {
    var parameters: [String] = []
    var query = ""
    var header = ""
    var body = ""
    var client = ""
  }

  /// The route whose requests begin streams.
  private let streamRoute: Int?

  /// The streams that have begun, by their tags.
  private(set) var streams: [Exchange] = []

  static let routes = [
    Route("/", [.get, .head]), Route("/now", [.get, .head]), Route("/stream", [.get, .head]),
  ]

  init(
    _ limits: Limits = Limits(), routes: [Route] = routes, trustedProxies: [Network] = [],
    observer: (any RequestObserver)? = nil
  ) throws {
    let poller = try Poller()
    let listener = try Listener(host: "127.0.0.1", port: 0)
    let port = listener.port
    let server = try Server(
      listener, routes: routes, limits: limits, poller,
      Server.Owners(listener: 0, connections: 1), trustedProxies: trustedProxies,
      observer: observer)
    self.poller = poller
    self.port = port
    self.server = server
    streamRoute = routes.firstIndex { "\($0.template)" == "/stream" }
  }

  /// One round: the bytes that have come are read, and what is due is done.
  mutating func turn() throws {
    try poller.wait(from: .now, until: .now + .milliseconds(2), &events)
    server.beginRound(.now + skipped)
    for index in 0..<events.count {
      server.handleEvent(events[index])
      takeRequests()
    }
    server.endRound()
    takeRequests()
    server.endRound()
  }

  /// Takes the requests that came. `/now` is answered at once, `/` when the test says so, and `/stream`
  /// begins a stream.
  private mutating func takeRequests() {
    while let request = server.nextRequest() {
      if request.route == 1 {
        server.respond(request.exchange, ResponseHead(.ok), ConstantBody("now"))
      } else if request.route == streamRoute {
        if server.beginStream(request.exchange, ResponseHead(.ok), tag: UInt32(streams.count)) {
          streams.append(request.exchange)
        }
      } else {
        waitingRequests.append(request)
        texts = readTexts(of: request)
      }
    }
  }

  private mutating func readTexts(of request: Request) -> RequestTexts {
    let client = server.clientAddress(of: request).description
    let bytes = server.requestBytes
    func text(_ range: Range<Int>) -> String {
      String(decoding: range.map { bytes[$0] }, as: UTF8.self)
    }
    return RequestTexts(
      parameters: [text(request.parameters[0]), text(request.parameters[1])],
      query: text(request.query), header: text(request.header), body: text(request.body),
      client: client)
  }

  /// Turns until something holds.
  mutating func turn(
    until what: Comment, _ condition: (borrowing ServerLoop) throws -> Bool
  ) throws {
    for _ in 0..<2000 {
      if try condition(self) { return }
      try turn()
    }
    Issue.record("never: \(what)")
  }

  /// Turns until nothing happens any more.
  mutating func settle() throws {
    repeat { try turn() } while events.count > 0
  }

  /// Puts the clock forward.
  mutating func skip(_ interval: Interval) throws {
    skipped = skipped + interval
    try turn()
  }

  /// Writes a piece of a stream.
  mutating func write(_ text: String, to stream: Int = 0) -> Server.Writing {
    server.write(streams[stream], Array(text.utf8).span)
  }

  /// Ends a stream.
  mutating func endStream(_ text: String, _ stream: Int = 0) -> Bool {
    server.endStream(streams[stream], Array(text.utf8).span)
  }

  /// Answers the request that came first, or another.
  ///
  /// - Parameter flushed: whether the bytes leave at once, and not only with the round that follows.
  mutating func answer(_ number: Int64, at index: Int = 0, flushed: Bool = true) {
    let request = waitingRequests.remove(at: index)
    server.respond(request.exchange, ResponseHead(.ok), TextBody("#\(number)."))
    if flushed { server.sendResponses() }
  }
}

/// A client that never waits.
final class Client {
  private var socket: Descriptor
  private(set) var received = ""

  /// Whether the server has closed, or reset, the connection.
  private(set) var isClosed = false

  /// Whether it was reset.
  private(set) var isReset = false

  init(_ port: UInt16, receiveBuffer: CInt? = nil) throws {
    socket = Descriptor(owning: Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0))
    if var size = receiveBuffer {
      unsafe setsockopt(
        socket.number, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe connect(socket.number, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw SystemError("connect") }
  }

  /// Sends all of it.
  func send(_ text: String) throws {
    #expect(try sendSome(text.utf8) == text.utf8.count)
  }

  /// Sends what the kernel takes.
  func sendSome(_ bytes: some Sequence<UInt8>) throws -> Int {
    try socket.send(Array(bytes).span) ?? 0
  }

  /// Says that nothing more will be sent.
  func endSending() {
    shutdown(socket.number, CInt(SHUT_WR))
  }

  /// Closes the connection so that the server is told at once (SO_LINGER, socket(7)).
  func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    unsafe setsockopt(
      socket.number, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    socket = .none
  }

  /// Takes what has come.
  func receive() {
    var bytes = ByteBuffer()
    do {
      while true {
        var count: Int?
        try bytes.append(addingCount: 1 << 16) { span throws(SystemError) in
          count = try socket.receive(into: &span)
        }
        guard let count else { break }
        if count == 0 {
          isClosed = true
          break
        }
      }
    } catch {
      isClosed = true
      isReset = true
    }
    received += String(decoding: Array(copying: bytes), as: UTF8.self)
  }

  /// The bodies of the numbered answers that came, in order.
  var numbers: [Int64] {
    received.split(separator: "\r\n\r\n").dropFirst().compactMap { body in
      body.first == "#" ? Int64(body.dropFirst().prefix { $0 != "." }) : nil
    }
  }

  /// The status codes that came, in order.
  var codes: [Int] {
    received.split(separator: "HTTP/1.1 ").compactMap { Int($0.prefix(3)) }
  }
}

extension ServerLoop {
  /// Turns until a client has got what it waits for.
  mutating func turn(
    until what: Comment, of client: Client, _ condition: (Client) -> Bool
  ) throws {
    for _ in 0..<2000 {
      client.receive()
      if condition(client) { return }
      try turn()
    }
    Issue.record("never: \(what); received: \(client.received)")
  }
}
