import BasicContainers
import Foundation
import System
import Telemetry
import Testing

@testable import HTTP

private let visit = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
private let now = "GET /now HTTP/1.1\r\nHost: a\r\n\r\n"
private let stream = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"

@Suite("A stream")
struct StreamTests {
  /// A client that has begun a stream and got its head.
  private func begin(
    _ request: String = stream, on loop: inout ServerLoop, receiveBuffer: CInt? = nil
  ) throws -> Client {
    let client = try Client(loop.port, receiveBuffer: receiveBuffer)
    try client.send(request)
    try loop.turn(until: "the head came", of: client) { $0.received.contains("\r\n\r\n") }
    return client
  }

  /// Writes until the kernel takes no more.
  private func fill(_ loop: inout ServerLoop) throws {
    let piece = String(repeating: "x", count: 1 << 14)
    for _ in 0..<2000 {
      guard loop.write(piece) == .written else { return }
      try loop.turn()
    }
    Issue.record("the kernel takes everything")
  }

  @Test(
    "has a head without a length that announces the end of the connection",
    arguments: [
      stream, "GET /stream HTTP/1.0\r\n\r\n",
      "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      "GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ])
  func head(_ request: String) throws {
    var loop = try ServerLoop()
    let client = try begin(request, on: &loop)
    #expect(client.received.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(!client.received.contains("Content-Length"))
    #expect(client.received.contains("\r\nDate: "))
    #expect(client.received.hasSuffix("\r\nConnection: close\r\n\r\n"))
    let writing = loop.write("one.")
    #expect(writing == .written)
    try loop.turn(until: "the piece came", of: client) { $0.received.hasSuffix("\r\n\r\none.") }
    let (streams, responses) = (
      loop.server.figures.streams.current, loop.server.figures.responses(.ok)
    )
    #expect(streams == 1 && responses == 1)
  }

  @Test("is written in the round of its head")
  func firstPiece() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(stream)
    try loop.turn(until: "it began") { $0.streams.count == 1 }
    let writings = [loop.write("one."), loop.write("two.")]
    #expect(writings == [.written, .written])
    try loop.turn(until: "all came", of: client) { $0.received.hasSuffix("\r\n\r\none.two.") }
  }

  @Test("of a HEAD request is its head")
  func headRequest() throws {
    var loop = try ServerLoop()
    let client = try begin("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n", on: &loop)
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.received.hasSuffix("\r\nConnection: close\r\n\r\n"))
    #expect(!client.isReset)
    let (streams, tag) = (loop.streams.count, loop.server.nextEndedStream())
    #expect(streams == 0 && tag == nil)
  }

  @Test("ends with the connection when the program ends it, with all that was written")
  func end() throws {
    var loop = try ServerLoop()
    let client = try begin(on: &loop)
    _ = loop.write("one.")
    let isEnded = loop.endStream("last.")
    #expect(isEnded)
    let (writing, isEndedAgain) = (loop.write("late."), loop.endStream(""))
    #expect(writing == .ended && !isEndedAgain)
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.received.hasSuffix("\r\n\r\none.last."))
    #expect(!client.isReset)
    // It lingers for the close of the client.
    let isOpen = loop.server.openConnections
    client.reset()
    try loop.turn(until: "it is closed") { $0.server.openConnections == 0 }
    let (tag, streams) = (loop.server.nextEndedStream(), loop.server.figures.streams.current)
    #expect(isOpen == 1 && tag == nil && streams == 0)
  }

  @Test("tells the program once that its client has left", arguments: [true, false])
  func clientLeaves(_ isReset: Bool) throws {
    var loop = try ServerLoop()
    let client = try begin(on: &loop)
    if isReset { client.reset() } else { client.endSending() }
    try loop.turn(until: "it is closed") { $0.server.openConnections == 0 }
    let tags = (loop.server.nextEndedStream(), loop.server.nextEndedStream())
    #expect(tags.0 == 0 && tags.1 == nil)
    let (writing, isEnded) = (loop.write("late."), loop.endStream(""))
    #expect(writing == .ended && !isEnded)
    #expect(loop.server.figures.streams.current == 0)
  }

  @Test("begins for a client that has sent its last byte, and ends behind what is owed to it")
  func endOfInputBefore() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(visit + stream)
    client.endSending()
    try loop.turn(until: "the visit came") { $0.waitingRequests.count == 1 }
    try loop.settle()
    #expect(loop.server.openConnections == 1)
    loop.answer(7)
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.numbers == [7] && client.codes == [200, 200])
    let tag = loop.server.nextEndedStream()
    #expect(tag == 0)
  }

  @Test("comes behind the responses before it, and its pieces are dropped until then")
  func pipelinedBehind() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(visit + now + stream)
    try loop.turn(until: "the stream began") { $0.streams.count == 1 }
    let early = loop.write("early.")
    #expect(early == .busy)
    try loop.settle()
    client.receive()
    #expect(client.received.isEmpty)
    loop.answer(1)
    let writing = loop.write("one.")
    #expect(writing == .written)
    try loop.turn(until: "the piece came", of: client) { $0.received.hasSuffix("\r\n\r\none.") }
    #expect(client.codes == [200, 200, 200] && client.numbers == [1])
  }

  @Test("that is ended while earlier responses are awaited ends behind them")
  func endPipelinedBehind() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(visit + stream)
    try loop.turn(until: "the stream began") { $0.streams.count == 1 }
    let isEnded = loop.endStream("last.")
    #expect(isEnded)
    loop.answer(1)
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.codes == [200, 200] && client.received.hasSuffix("close\r\n\r\n"))
  }

  @Test("is the last response: requests behind it are discarded")
  func pipelinedBefore() throws {
    var loop = try ServerLoop()
    let client = try begin(stream + visit + now + stream, on: &loop)
    try client.send(visit + "nonsense\r\n\r\n")
    try loop.settle()
    client.receive()
    #expect(loop.waitingRequests.count == 0 && loop.streams.count == 1)
    #expect(client.codes == [200])
    let writing = loop.write("one.")
    #expect(writing == .written)
    try loop.turn(until: "the piece came", of: client) { $0.received.hasSuffix("\r\n\r\none.") }
    let isEnded = loop.endStream("last.")
    #expect(isEnded)
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.received.hasSuffix("one.last.") && !client.isReset)
  }

  @Test("keeps nothing of what its client sends without end")
  func flood() throws {
    var loop = try ServerLoop()
    let client = try begin(on: &loop)
    let bytes = [UInt8](repeating: 0x78, count: 1 << 16)
    for _ in 0..<100 {
      _ = try client.sendSome(bytes)
      try loop.turn()
    }
    #expect(loop.server.connections.slots[0].bufferedBytes == 0)
    let writing = loop.write("one.")
    #expect(writing == .written)
    try loop.turn(until: "the piece came", of: client) { $0.received.hasSuffix("one.") }
  }

  @Test("of a client that never reads keeps one piece, and is reset after the write timeout")
  func neverReads() throws {
    var loop = try ServerLoop()
    let client = try begin(on: &loop, receiveBuffer: 4096)
    try fill(&loop)
    let kept = loop.server.connections.slots[0].unsent.bytes.count
    for _ in 0..<50 {
      let writing = loop.write("more.")
      #expect(writing == .busy)
      try loop.turn()
    }
    #expect(loop.server.connections.slots[0].unsent.bytes.count == kept)
    #expect(kept <= 1 << 14)
    try loop.skip(.seconds(29))
    #expect(loop.server.openConnections == 1)
    try loop.skip(.seconds(2))
    #expect(loop.server.openConnections == 0)
    let tag = loop.server.nextEndedStream()
    #expect(tag == 0)
    withExtendedLifetime(client) {}
  }

  @Test("of a client that reads slowly goes on with the newest piece")
  func readsSlowly() throws {
    var loop = try ServerLoop()
    let client = try begin(on: &loop, receiveBuffer: 4096)
    try fill(&loop)
    let dropped = loop.write("dropped.")
    #expect(dropped == .busy)
    for _ in 0..<2000 {
      client.receive()
      if loop.server.connections.slots[0].unsent.bytes.isEmpty { break }
      try loop.turn()
    }
    let writing = loop.write("newest.")
    #expect(writing == .written)
    try loop.turn(until: "the piece came", of: client) { $0.received.hasSuffix("xnewest.") }
    try loop.skip(.seconds(3600))
    #expect(loop.server.openConnections == 1)
  }

  @Test("that ends while its client does not read ends with its last piece")
  func endWhileBusy() throws {
    var loop = try ServerLoop()
    let client = try begin(on: &loop, receiveBuffer: 4096)
    try fill(&loop)
    let isEnded = loop.endStream("last.")
    #expect(isEnded)
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.received.hasSuffix("xlast.") && !client.isReset)
  }

  @Test("is not closed as idle, neither in time nor for others nor while draining")
  func isNotIdle() throws {
    var limits = Limits()
    limits.connections = 2
    var loop = try ServerLoop(limits)
    let client = try begin(on: &loop)
    let idle = try Client(loop.port)
    try loop.turn(until: "it is open") { $0.server.openConnections == 2 }
    let next = try Client(loop.port)
    try next.send(now)
    try loop.turn(until: "it is full") { $0.server.acceptance == .full }
    try loop.skip(.seconds(6))
    try loop.turn(until: "the next one is served", of: next) { $0.codes == [200] }
    try loop.turn(until: "the idle one is closed", of: idle) { $0.isClosed }
    try loop.skip(.seconds(3600))
    loop.server.drain()
    loop.server.closeIdle()
    let (open, unsettled) = (loop.server.openConnections, loop.server.unsettledConnections)
    #expect(open == 1 && unsettled == 0)
    let writing = loop.write("one.")
    #expect(writing == .written)
    let isEnded = loop.endStream("last.")
    #expect(isEnded)
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.received.hasSuffix("one.last."))
  }

  @Test("that is cut off with the server is reported")
  func closeAll() throws {
    var loop = try ServerLoop()
    let client = try begin(on: &loop)
    loop.server.closeAll()
    client.receive()
    let (tag, streams) = (loop.server.nextEndedStream(), loop.server.figures.streams.current)
    #expect(client.isClosed && tag == 0 && streams == 0)
  }

  @Test("that begins when the buffers of all clients are used up is reset, and reported")
  func buffersUsedUp() throws {
    var limits = Limits()
    limits.bufferedBytes = 64
    var loop = try ServerLoop(limits)
    let client = try Client(loop.port)
    try client.send(visit + stream)
    try loop.turn(until: "it is reset", of: client) { $0.isClosed }
    let (streams, tag) = (loop.streams.count, loop.server.nextEndedStream())
    #expect(streams == 1 && tag == 0)
  }

  @Test("is told to the observer once, with its head")
  func observed() throws {
    final class Observer: RequestObserver {
      var codes: [Int?] = []
      func requestParsed(_: Exchange, header _: Span<UInt8>, client _: NetworkAddress) {}
      func responseWritten(_: Exchange, code: Int?, bodyCount: Int) {
        codes.append(code)
        #expect(bodyCount == 0)
      }
    }
    let observer = Observer()
    var loop = try ServerLoop(observer: observer)
    let client = try Client(loop.port)
    try client.send(stream)
    try loop.turn(until: "it began") { $0.streams.count == 1 }
    _ = loop.write("one.")
    try loop.settle()
    client.reset()
    try loop.turn(until: "it is closed") { $0.server.openConnections == 0 }
    #expect(observer.codes == [200])
  }
}
