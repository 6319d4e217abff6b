import System
import Glibc
import HTTP

/// A server that is spoken to over the loopback, client and server turn by turn in one thread.
///
/// Its clock stands still: nothing times out, and every answer has the same date, so that answers
/// can be compared byte for byte.
struct InProcessServer: ~Copyable {
  private let port: UInt16
  private var server: Server
  private let poller: Poller
  private var events = Events()
  private var waitingRequests: [Request] = []
  private var visits: Int64 = 0

  private let page = ResponseHead(.ok)
  private let health = ResponseHead.text(.ok)

  /// When visits are answered.
  enum Pace: CaseIterable, Sendable {
    /// At once.
    case immediate
    /// When nothing else is left to be done, the last of them first.
    case late
  }

  /// The server and its client wait for each other for ever.
  struct Stuck: Error {}

  init(_ limits: Limits = Limits()) throws {
    let poller = try Poller()
    let listener = try Listener(host: "127.0.0.1", port: 0)
    let port = listener.port
    let server = try Server(
      listener, routes: [Route("/", [.get, .head]), Route("/health", [.get, .head])],
      limits: limits,
      poller,
      Server.Owners(listener: 0, connections: 1))
    self.poller = poller
    self.port = port
    self.server = server
  }

  /// Says something on a connection of its own, piece by piece, then that this was all.
  mutating func converse(
    _ pieces: [ArraySlice<UInt8>], _ pace: Pace = .immediate
  ) throws -> Conversation {
    visits = 0
    waitingRequests = []
    let client = try LoopbackClient(port)
    for piece in pieces {
      var rest = piece
      repeat {
        rest = rest.dropFirst(client.send(rest))
        try settle(client, pace)
      } while !rest.isEmpty && !client.isClosed
    }
    try finish(client, pace)
    return Conversation(received: client.received, visits: Int(visits))
  }

  /// Waits for the end that the server announced, or else brings it about.
  private mutating func finish(_ client: LoopbackClient, _ pace: Pace) throws {
    if !client.received.contains("Connection: close\r\n".utf8) { client.endSending() }
    for turns in 0..<2000 where !client.isClosed {
      // What the kernel does in the background takes a moment at times.
      try settle(client, pace, patience: turns == 0 ? 0 : 1)
    }
    guard client.isClosed else { throw Stuck() }
    client.endSending()
    for turns in 0..<2000 where server.openConnections > 0 {
      try settle(client, pace, patience: turns == 0 ? 0 : 1)
    }
    guard server.openConnections == 0 else { throw Stuck() }
  }

  /// Turns until nothing happens any more.
  private mutating func settle(
    _ client: LoopbackClient, _ pace: Pace, patience: Int64 = 0
  ) throws {
    repeat {
      try turn(pace, patience)
      client.receive()
    } while events.count > 0 || answerAll()
  }

  private mutating func turn(_ pace: Pace, _ patience: Int64) throws {
    let start = Instant(nanoseconds: 0)
    try poller.wait(from: start, until: start + .milliseconds(patience), &events)
    server.beginRound(start)
    for index in 0..<events.count {
      server.handleEvent(events[index])
      takeRequests(pace)
    }
    server.endRound()
    takeRequests(pace)
    server.endRound()
  }

  private mutating func takeRequests(_ pace: Pace) {
    while let request = server.nextRequest() {
      if request.route == 1 {
        server.respond(request.exchange, health, ConstantBody("Microservice a is ready!"))
      } else if pace == .late {
        waitingRequests.append(request)
      } else {
        visits += 1
        server.respond(request.exchange, page, TextBody("number \(visits)\n"))
      }
    }
  }

  /// - Returns: whether there was something to answer.
  private mutating func answerAll() -> Bool {
    guard !waitingRequests.isEmpty else { return false }
    let first = visits
    visits += Int64(waitingRequests.count)
    for index in waitingRequests.indices.reversed() {
      server.respond(
        waitingRequests[index].exchange, page, TextBody("number \(first + Int64(index) + 1)\n"))
    }
    waitingRequests = []
    server.endRound()
    takeRequests(.late)
    server.endRound()
    return true
  }
}
