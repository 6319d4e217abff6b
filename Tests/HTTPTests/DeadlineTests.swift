import BasicContainers
import Glibc
import System
import Telemetry
import Testing

@testable import HTTP
@testable import HTTPTestSupport

private let visit = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
private let now = "GET /now HTTP/1.1\r\nHost: a\r\n\r\n"

/// Each of them tries to get more time by doing something else than what the deadline waits for.
@Suite("No client gets more time")
struct DeadlineTests {
  /// Sends a byte every second of the server's clock, as long as the connection is open.
  ///
  /// - Returns: how many seconds that was.
  private func trickle(
    _ bytes: some Sequence<UInt8>, _ client: Client, _ loop: inout ServerLoop
  ) throws -> Int {
    var seconds = 0
    for byte in bytes where loop.server.openConnections == 1 && !client.isClosed {
      _ = try? client.sendSome([byte])
      try loop.skip(.seconds(1))
      client.receive()
      seconds += 1
    }
    return seconds
  }

  @Test("for a header by sending it byte by byte")
  func header() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try loop.turn(until: "it is open") { $0.server.openConnections == 1 }
    let seconds = try trickle("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n".utf8, client, &loop)
    #expect((10...11).contains(seconds))
    #expect(client.codes == [408])
  }

  @Test("for a header while a response to an earlier request is awaited")
  func headerBehindVisit() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(visit + "GET ")
    try loop.turn(until: "the visit came") { $0.waitingRequests.count == 1 }
    try loop.skip(.seconds(11))
    loop.answer(1)
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.codes == [200, 408])
  }

  @Test("for a header while it leaves responses unread")
  func headerBehindUnread() throws {
    var limits = Limits()
    limits.unsent = 1 << 20
    var loop = try ServerLoop(limits)
    let client = try Client(loop.port, receiveBuffer: 4096)
    try loop.turn(until: "it is open") { $0.server.openConnections == 1 }
    let burst = String(repeating: now, count: 100)
    for _ in 0..<200 where loop.server.connections.slots[0].unsent.bytes.isEmpty {
      _ = try client.sendSome(burst.utf8)
      try loop.turn()
    }
    try loop.settle()
    try client.send("GET ")
    try loop.turn(until: "the header began") { $0.server.connections.slots[0].isReadingHeader }
    try loop.skip(.seconds(11))
    #expect(loop.server.connections.slots[0].takesRequests == false)
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.codes.last == 408)
    #expect(client.codes.dropLast().allSatisfy { $0 == 200 })
  }

  @Test("for a request by sending empty lines")
  func emptyLines() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(now)
    try loop.turn(until: "the response came", of: client) { $0.codes == [200] }
    let seconds = try trickle(String(repeating: "\r\n", count: 50).utf8, client, &loop)
    #expect((10...11).contains(seconds))
    #expect(client.codes == [200, 408])
  }

  @Test(
    "for a body by sending it byte by byte",
    arguments: ["Content-Length: 99", "Transfer-Encoding: chunked"])
  func body(_ framing: String) throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send("GET / HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
    try loop.turn(until: "it is open") { $0.server.openConnections == 1 }
    try loop.turn(until: "the header came") { $0.server.connections.slots[0].pendingRequest != nil }
    let seconds = try trickle(
      (framing.hasPrefix("T") ? "4a\r\n" : "").utf8.map { $0 } + Array(repeating: 0x78, count: 90),
      client, &loop)
    #expect((30...31).contains(seconds))
    #expect(client.codes == [408])
  }

  @Test("for the close after an error by sending more")
  func linger() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send("nonsense\r\n\r\nmore")
    try loop.turn(until: "the response came", of: client) { $0.codes == [400] }
    var seconds = 0
    while loop.server.openConnections > 0, seconds < 20 {
      _ = try? client.sendSome([0x78])
      try loop.skip(.seconds(1))
      seconds += 1
    }
    #expect((2...3).contains(seconds))
  }

  @Test("to read its responses, unless it reads some")
  func reading() throws {
    var limits = Limits()
    limits.unsent = 1 << 20
    var loop = try ServerLoop(limits)
    let client = try Client(loop.port, receiveBuffer: 4096)
    try loop.turn(until: "it is open") { $0.server.openConnections == 1 }
    let burst = String(repeating: now, count: 1000)
    for _ in 0..<200 where loop.server.connections.slots[0].unsent.bytes.count < 200_000 {
      _ = try client.sendSome(burst.utf8)
      try loop.turn()
    }
    for _ in 0..<3 {
      try loop.skip(.seconds(29))
      let sent = loop.server.figures.sent.current
      client.receive()
      try loop.turn(until: "the client has made room") { $0.server.figures.sent.current > sent }
    }
    #expect(loop.server.openConnections == 1)
    try loop.settle()
    try loop.skip(.seconds(31))
    #expect(loop.server.openConnections == 0)
  }

  @Test("but one that waits to be invited to send its body, until it is")
  func invitation() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    let head = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    try client.send(visit + head)
    try loop.turn(until: "the visit came") { $0.waitingRequests.count == 1 }
    try loop.skip(.seconds(100))
    loop.answer(1)
    try loop.turn(until: "the invitation came", of: client) { $0.codes == [200, 100] }
    try loop.skip(.seconds(29))
    #expect(loop.server.openConnections == 1)
    try loop.skip(.seconds(2))
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.codes == [200, 100, 408])
  }
}

@Suite("The bytes that a server keeps")
struct BufferTests {
  /// Checks the running sum against the buffers themselves, and those against their content.
  private func check(_ server: borrowing Server) {
    var sum = 0
    for slot in 0..<server.connections.slots.count {
      let connection = server.connections.slots[slot].bufferedBytes
      sum += connection
    }
    #expect(server.connections.bufferedBytes == sum)
  }

  @Test("are counted exactly, whatever clients do", arguments: 1...5 as ClosedRange<UInt64>)
  func sum(_ seed: UInt64) throws {
    var limits = Limits()
    limits.pipelined = 8
    limits.unsent = 5000
    var generator = Seeded(seed)
    var loop = try ServerLoop(limits)
    var clients: [Client] = []
    let body =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
      + String(repeating: "x", count: 50)
    for _ in 0..<400 {
      let index = Int.random(in: 0..<8, using: &generator)
      if index >= clients.count { clients.append(try Client(loop.port, receiveBuffer: 4096)) }
      let client = clients[min(index, clients.count - 1)]
      switch Int.random(in: 0..<12, using: &generator) {
      case 0: _ = try? client.sendSome("GET / HTTP/1.1\r\n".utf8)
      case 1: _ = try? client.sendSome("Host: a\r\n\r\n".utf8)
      case 2: _ = try? client.sendSome(String(repeating: now, count: 500).utf8)
      case 3: _ = try? client.sendSome(body.utf8)
      case 4: _ = try? client.sendSome(String(repeating: visit + now, count: 20).utf8)
      case 5:
        client.reset()
        clients.removeAll { $0 === client }
      case 6:
        if !loop.waitingRequests.isEmpty { loop.answer(1, at: loop.waitingRequests.count - 1) }
      case 7: if !loop.waitingRequests.isEmpty { loop.answer(1) }
      case 8: try loop.skip(.seconds(Int64.random(in: 0..<20, using: &generator)))
      default: client.receive()
      }
      try loop.turn()
      check(loop.server)
      clients.removeAll(where: \.isClosed)
    }
    for client in clients { client.reset() }
    try loop.turn(until: "all are closed") { $0.server.openConnections == 0 }
    #expect(loop.server.connections.bufferedBytes == 0)
  }

  @Test("take storage that is at most a page larger than they are")
  func tight() throws {
    var limits = Limits()
    limits.unsent = 1 << 20
    var loop = try ServerLoop(limits)
    let client = try Client(loop.port, receiveBuffer: 4096)
    try loop.turn(until: "it is open") { $0.server.openConnections == 1 }
    let burst = String(repeating: now, count: 100)
    for _ in 0..<300 where loop.server.connections.slots[0].unsent.bytes.count < 100_000 {
      _ = try client.sendSome(burst.utf8)
      try loop.turn()
      let spare =
        loop.server.connections.slots[0].unsent.bytes.capacity
        - loop.server.connections.slots[0].unsent.bytes.count
      #expect(spare <= 4096)
    }
    let slow = try Client(loop.port)
    try slow.send("GET / HTTP/1.1\r\n")
    try loop.turn(until: "both are open") { $0.server.openConnections == 2 }
    for _ in 0..<1000 {
      try slow.send("X: yyyyy\r\n")
      try loop.turn()
      guard loop.server.connections.slots[1].isOpen else { break }
      let spare =
        loop.server.connections.slots[1].kept.capacity
        - loop.server.connections.slots[1].kept.count
      #expect(spare <= 4096)
    }
  }

  @Test("do not grow beyond the budget by responses that are held for an earlier one")
  func held() throws {
    var limits = Limits()
    limits.bufferedBytes = 10_000
    var loop = try ServerLoop(limits)
    let client = try Client(loop.port)
    let other = try Client(loop.port)
    try client.send(visit + String(repeating: now, count: 100))
    try loop.turn(until: "it is reset", of: client) { $0.isReset }
    #expect(loop.server.figures.shed.current == 1)
    #expect(loop.server.connections.bufferedBytes == 0)
    try other.send(now)
    try loop.turn(until: "the other is served", of: other) { $0.codes == [200] }
  }
}

@Suite("A listener that cannot accept")
struct AcceptErrorTests {
  @Test("is left alone for a while, and the error told")
  func persistent() throws {
    // A socket that does not listen: each accept4(2) is EINVAL, and epoll reports it all the time.
    let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
    let poller = try Poller()
    var server = try Server(
      try Listener(owning: socket), routes: [], limits: Limits(), poller,
      Server.Owners(listener: 0, connections: 1))
    var events = Events()
    var now = Instant.now
    for _ in 0..<3 {
      try poller.wait(from: now, until: now + .seconds(1), &events)
      #expect(events.count == 1)
      server.beginRound(now)
      server.handleEvent(events[0])
      server.endRound()
      guard case .paused(let until, let error) = server.acceptance else {
        Issue.record("the server goes on accepting")
        return
      }
      #expect(error.code == EINVAL)
      #expect(until > now && server.deadline == until)
      try poller.wait(from: now, until: now, &events)
      #expect(events.count == 0, "it is not watched meanwhile")
      now = until
      server.beginRound(now)
      server.endRound()
      #expect(server.acceptance == .open, "it is tried again")
    }
  }
}
