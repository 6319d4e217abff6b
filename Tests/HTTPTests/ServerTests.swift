import BasicContainers
import Foundation
import System
import Telemetry
import Testing

@testable import HTTP

private let visit = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
private let now = "GET /now HTTP/1.1\r\nHost: a\r\n\r\n"

@Suite("A server's answers")
struct ServerAnswerTests {
  @Test("come in the order of the requests, in whatever order they are given")
  func order() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(visit + now + visit + visit + now)
    try loop.turn(until: "three requests came") { $0.waitingRequests.count == 3 }
    loop.answer(3, at: 2)
    loop.answer(2, at: 1)
    try loop.settle()
    client.receive()
    #expect(client.received.isEmpty)

    loop.answer(1)
    try loop.turn(until: "all answers came", of: client) { $0.codes.count == 5 }
    let bodies = client.received.split(separator: "\r\n\r\n").dropFirst()
    let starts = bodies.map { String($0.prefix(3)) }
    #expect(starts == ["#1.", "now", "#2.", "#3.", "now"])
  }

  @Test("reach a client that has sent its last byte")
  func halfClose() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(visit)
    client.endSending()
    try loop.turn(until: "it came") { $0.waitingRequests.count == 1 }
    try loop.settle()
    loop.answer(7)
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.numbers == [7])
  }

  @Test("never reach the next client of the slot")
  func goneClient() throws {
    var loop = try ServerLoop()
    let gone = try Client(loop.port)
    try gone.send(visit)
    try loop.turn(until: "it came") { $0.waitingRequests.count == 1 }
    gone.reset()
    try loop.turn(until: "the client is gone") { $0.server.openConnections == 0 }

    let next = try Client(loop.port)
    try next.send(visit)
    try loop.turn(until: "the next one came") { $0.waitingRequests.count == 2 }
    #expect(loop.waitingRequests[0].exchange.slot == loop.waitingRequests[1].exchange.slot)
    loop.answer(1)
    loop.answer(2)
    try loop.turn(until: "its answer came", of: next) { !$0.numbers.isEmpty }
    #expect(next.numbers == [2])
  }

  @Test("invite a body only after the answers that come before it")
  func continueInOrder() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(
      visit + "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    try loop.turn(until: "the first came") { $0.waitingRequests.count == 1 }
    try loop.settle()
    client.receive()
    #expect(client.received.isEmpty)
    loop.answer(1)
    try loop.turn(until: "the invitation came", of: client) { $0.codes == [200, 100] }
    try client.send("ab")
    try loop.turn(until: "the second came") { $0.waitingRequests.count == 1 }
  }

  @Test("are understood by a request that comes byte by byte")
  func trickle() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    for byte in "GET /?a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".unicodeScalars {
      #expect(loop.waitingRequests.count == 0)
      try client.send(String(byte))
      try loop.settle()
    }
    try loop.turn(until: "it came") { $0.waitingRequests.count == 1 }
  }
}

@Suite("A server under load")
struct ServerLoadTests {
  @Test("leaves requests unread when too many of a connection wait, and goes on later")
  func pipelined() throws {
    var limits = Limits()
    limits.pipelined = 4
    var loop = try ServerLoop(limits)
    let client = try Client(loop.port)
    for _ in 0..<20 { try client.send(visit) }
    try loop.settle()
    #expect(loop.waitingRequests.count == 4)

    var number: Int64 = 0
    while number < 20, !loop.waitingRequests.isEmpty {
      number += 1
      loop.answer(number)
      try loop.settle()
      #expect(loop.waitingRequests.count <= 4)
    }
    try loop.turn(until: "all answers came", of: client) { $0.numbers.count == 20 }
    #expect(client.numbers == Array(1...20))
  }

  @Test("keeps a bounded amount for a client that does not read, and loses none of it")
  func slowReader() throws {
    var limits = Limits()
    limits.unsent = 10_000
    var loop = try ServerLoop(limits)
    let client = try Client(loop.port, receiveBuffer: 4096)
    let count = 60_000
    let requests = Array(String(repeating: now, count: count).utf8)
    var sent = 0
    try loop.turn(until: "it is open") { $0.server.openConnections == 1 }
    for _ in 0..<300 where sent < requests.count {
      sent += try client.sendSome(requests[sent...].prefix(50_000))
      try loop.turn()
      #expect(loop.server.connections.slots[0].unsent.bytes.count < limits.unsent + (1 << 18))
    }
    #expect(loop.server.connections.slots[0].isPaused == true)

    client.receive()
    let first = try #require(client.received.firstRange(of: "\r\n\r\nnow"))
    let length = client.received[..<first.upperBound].utf8.count
    for _ in 0..<5000 where client.received.utf8.count < count * length {
      sent += try client.sendSome(requests[sent...].prefix(50_000))
      try loop.turn()
      client.receive()
    }
    #expect(client.received.utf8.count == count * length)
    #expect(client.received.hasSuffix("now"))
  }

  @Test("answers somebody else in the round he asks in, whatever one has sent before")
  func turns() throws {
    var loop = try ServerLoop()
    let flooder = try Client(loop.port)
    let other = try Client(loop.port)
    try loop.settle()
    let requests = Array(String(repeating: now, count: 10_000).utf8)
    var sent = try flooder.sendSome(requests)
    try loop.turn()
    flooder.receive()
    #expect(flooder.codes.count < 400, "a turn has its limit")

    try other.send(now)
    try loop.turn()
    other.receive()
    #expect(other.codes == [200])
    let all = 10_000 * other.received.utf8.count
    for _ in 0..<5000 where flooder.received.utf8.count < all {
      if sent < requests.count { sent += try flooder.sendSome(requests[sent...]) }
      try loop.turn()
      flooder.receive()
    }
    #expect(flooder.codes.count == 10_000, "nothing is lost")
  }

  @Test("leaves who comes when it is full in the backlog, until another leaves")
  func full() throws {
    var limits = Limits()
    limits.connections = 2
    var loop = try ServerLoop(limits)
    let first = try Client(loop.port)
    let second = try Client(loop.port)
    try loop.settle()
    #expect(loop.server.openConnections == 2)
    #expect(loop.server.acceptance == .open)

    let third = try Client(loop.port)
    try third.send(now)
    try loop.turn(until: "it is full") { $0.server.acceptance == .full }
    for _ in 0..<20 { try loop.turn() }
    third.receive()
    #expect(third.received.isEmpty)
    try first.send(now)
    try loop.turn(until: "who is in is served", of: first) { $0.codes == [200] }

    second.reset()
    try loop.turn(until: "the next one is served", of: third) { $0.codes == [200] }
    #expect(loop.server.acceptance == .open)
    #expect(loop.server.openConnections == 2)
  }

  @Test("closes the longest idle connection when it is full, but none that just began")
  func eviction() throws {
    var limits = Limits()
    limits.connections = 3
    var loop = try ServerLoop(limits)
    let (first, second) = (try Client(loop.port), try Client(loop.port))
    try second.send(now)
    try loop.turn(until: "it is answered", of: second) { $0.codes == [200] }
    try loop.skip(.seconds(3))
    let busy = try Client(loop.port)
    try busy.send(visit)
    try loop.turn(until: "the visit came") { $0.waitingRequests.count == 1 }
    try first.send(now)
    try loop.turn(until: "it is answered", of: first) { $0.codes == [200] }

    let third = try Client(loop.port)
    try third.send(now)
    try loop.turn(until: "it is full") { $0.server.acceptance == .full }
    try loop.skip(.seconds(2))
    try loop.turn(until: "the third is served", of: third) { $0.codes == [200] }
    try loop.turn(until: "the second is closed", of: second) { $0.isClosed }
    #expect(loop.server.figures.evicted.current == 1)

    let fourth = try Client(loop.port)
    try fourth.send(now)
    try loop.turn(until: "it is full") { $0.server.acceptance == .full }
    try loop.skip(.seconds(6))
    try loop.turn(until: "the fourth is served", of: fourth) { $0.codes == [200] }
    try loop.turn(until: "the first is closed", of: first) { $0.isClosed }
    loop.answer(1)
    try loop.turn(until: "the visit is answered", of: busy) { $0.codes == [200] }
  }

  @Test("closes no idle connection whose next request arrives together with another client")
  func evictionOfBusy() throws {
    var limits = Limits()
    limits.connections = 1
    var loop = try ServerLoop(limits)
    let first = try Client(loop.port)
    try first.send(now)
    try loop.turn(until: "it is answered", of: first) { $0.codes == [200] }
    try loop.skip(.seconds(9))
    let second = try Client(loop.port)
    try second.send(now)
    try first.send(now)
    try loop.turn()
    try loop.turn(until: "the first is answered", of: first) {
      $0.codes == [200, 200] || $0.isClosed
    }
    #expect(first.codes == [200, 200])
    try loop.skip(.seconds(6))
    try loop.turn(until: "the second is served", of: second) { $0.codes == [200] }
  }

  @Test("closes a connection that has sent nothing for a client that has a request")
  func silentEviction() throws {
    var limits = Limits()
    limits.connections = 1
    var loop = try ServerLoop(limits)
    let silent = try Client(loop.port)
    try loop.turn(until: "it is open") { $0.server.openConnections == 1 }
    let client = try Client(loop.port)
    try client.send(now)
    try loop.turn(until: "it is full") { $0.server.acceptance == .full }
    try loop.skip(.seconds(4))
    #expect(!silent.isClosed && client.codes.isEmpty)
    try loop.skip(.seconds(2))
    try loop.turn(until: "the client is served", of: client) { $0.codes == [200] }
    try loop.turn(until: "the silent one is closed", of: silent) { $0.isClosed }
  }

  @Test("resets a client that reads nothing, whatever it goes on sending")
  func sendsWithoutReading() throws {
    var limits = Limits()
    limits.unsent = 1 << 20
    var loop = try ServerLoop(limits)
    let client = try Client(loop.port, receiveBuffer: 4096)
    let burst = String(repeating: now, count: 100)
    try loop.turn(until: "it is open") { $0.server.openConnections == 1 }
    for _ in 0..<200 where loop.server.connections.slots[0].unsent.bytes.isEmpty {
      _ = try client.sendSome(burst.utf8)
      try loop.turn()
    }
    #expect(loop.server.connections.slots[0].unsent.bytes.isEmpty == false)
    for _ in 0..<3 {
      try loop.skip(.seconds(9))
      #expect(loop.server.openConnections == 1)
      _ = try client.sendSome(now.utf8)
      try loop.turn()
    }
    try loop.skip(.seconds(4))
    #expect(loop.server.openConnections == 0)
  }

  @Test("answers all requests that have arrived when it drains, and closes with the last")
  func drainsPipelined() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(now)
    try loop.turn(until: "it is answered", of: client) { $0.codes == [200] }
    loop.server.drain()
    try client.send(now + now + now)
    try loop.turn(until: "all are answered", of: client) { $0.codes.count == 4 }
    #expect(client.received.components(separatedBy: "Connection: close").count == 2)
  }

  @Test("leaves a connection that lingers to its client while it closes idle ones")
  func lingersWhileDraining() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(now)
    try loop.turn(until: "it is answered", of: client) { $0.codes == [200] }
    loop.server.drain()
    try client.send(now)
    try loop.turn(until: "the last response", of: client) { $0.codes.count == 2 }
    #expect(loop.server.openConnections == 1, "the client may be sending more")
    loop.server.closeIdle()
    #expect(loop.server.openConnections == 1)
    client.endSending()
    try loop.turn(until: "it is closed") { $0.server.openConnections == 0 }
  }

  @Test("counts no bytes that a drain has thrown away")
  func drainedBuffers() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(visit + "GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 5000))
    try loop.turn(until: "the visit came") { $0.waitingRequests.count == 1 }
    #expect(loop.server.connections.bufferedBytes > 5000)
    loop.server.drain()
    loop.answer(1)
    #expect(loop.server.connections.bufferedBytes == 0)
  }

  @Test("lingers when more may stand behind a last request that has filled the buffer")
  func fullBuffer() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    let start = "GET /now HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: "
    let padding = RequestReader.readSize - start.utf8.count - 4
    let request = start + String(repeating: "x", count: padding) + "\r\n\r\n"
    try client.send(request + String(repeating: "y", count: 20_000))
    try loop.turn(until: "the response came", of: client) { $0.codes == [200] }
    for _ in 0..<20 { try loop.turn() }
    client.receive()
    #expect(!client.isReset)
    client.endSending()
    try loop.turn(until: "it is closed", of: client) { $0.isClosed }
    #expect(!client.isReset)
  }

  @Test("stays idle when an empty line follows a request")
  func emptyLine() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(now)
    try loop.turn(until: "it is answered", of: client) { $0.codes == [200] }
    try client.send("\r\n")
    try loop.settle()
    try loop.skip(.seconds(30))
    try client.send("\r\n" + now)
    try loop.turn(until: "the next one is answered", of: client) { $0.codes == [200, 200] }
    try client.send("\r\n")
    try loop.settle()
    try loop.skip(.seconds(621))
    try loop.turn(until: "it is closed as idle", of: client) { $0.isClosed }
    #expect(client.codes == [200, 200])
  }

  @Test("resets the connection that would need more than the buffers of all may take, and no other")
  func bufferBudget() throws {
    var limits = Limits()
    limits.bufferedBytes = 20_000
    var loop = try ServerLoop(limits)
    var slow: [Client] = []
    for _ in 0..<40 {
      slow.append(try Client(loop.port))
      try slow[slow.count - 1].send("GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 1000))
      try loop.settle()
    }
    #expect(loop.server.openConnections < 25)
    #expect(loop.server.openConnections > 5)
    let normal = try Client(loop.port)
    try normal.send(now)
    try loop.turn(until: "a whole request is answered", of: normal) { $0.codes == [200] }
  }

  @Test("uses a slot again, and grows when all are taken")
  func slots() throws {
    var loop = try ServerLoop()
    for _ in 0..<3 {
      var clients = [try Client(loop.port), try Client(loop.port)]
      try loop.turn(until: "both are open") { $0.server.openConnections == 2 }
      clients.removeAll()
      try loop.turn(until: "both are closed") { $0.server.openConnections == 0 }
    }
    #expect(loop.server.connections.slots.count == 2)
  }
}

@Suite("A server's patience")
struct ServerPatienceTests {
  @Test("ends with 408 when a header does not come to its end")
  func header() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send("GET / HT")
    try loop.settle()
    try loop.skip(.seconds(9))
    try client.send("TP/1.1\r\n")
    try loop.settle()
    #expect(loop.server.openConnections == 1)
    try loop.skip(.seconds(2))
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.codes == [408])
    #expect(client.received.contains("Connection: close\r\n"))
  }

  @Test("ends with 408 when a body does not come to its end")
  func body() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
    try loop.settle()
    try loop.skip(.seconds(29))
    #expect(loop.server.openConnections == 1)
    try loop.skip(.seconds(2))
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.codes == [408])
    #expect(loop.waitingRequests.count == 0)
  }

  @Test("ends without a word when a client says nothing, or nothing more")
  func idle() throws {
    var loop = try ServerLoop()
    let silent = try Client(loop.port)
    let once = try Client(loop.port)
    try once.send(now)
    try loop.turn(until: "the answer came", of: once) { $0.codes == [200] }
    try loop.skip(.seconds(11))
    try loop.turn(until: "the silent one is closed", of: silent) { $0.isClosed }
    #expect(silent.received.isEmpty)
    #expect(loop.server.openConnections == 1)
    try loop.skip(.seconds(610))
    try loop.turn(until: "the other is closed", of: once) { $0.isClosed }
    #expect(once.codes == [200])
  }

  @Test("does not end while a client waits for its answer")
  func waiting() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(visit)
    try loop.turn(until: "it came") { $0.waitingRequests.count == 1 }
    try loop.skip(.seconds(3600))
    loop.answer(1)
    try loop.turn(until: "the answer came", of: client) { $0.numbers == [1] }
  }

  @Test("does not end before the answer has left that came in the round in which it would")
  func answerInTime() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(visit)
    try loop.turn(until: "the first came") { $0.waitingRequests.count == 1 }
    loop.answer(1)
    try loop.skip(.seconds(59))
    try client.send(visit)
    try loop.turn(until: "the second came") { $0.waitingRequests.count == 1 }
    loop.answer(2, flushed: false)
    try loop.skip(.seconds(2))
    try loop.turn(until: "its answer came", of: client) { $0.numbers == [1, 2] || $0.isClosed }
    #expect(client.numbers == [1, 2])
  }

  @Test("ends when a client reads nothing of its answers")
  func reader() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port, receiveBuffer: 4096)
    let burst = String(repeating: now, count: 1000)
    try loop.turn(until: "it is open") { $0.server.openConnections == 1 }
    for _ in 0..<100 where try client.sendSome(burst.utf8) >= 0 { try loop.turn() }
    #expect(loop.server.connections.slots[0].unsent.bytes.isEmpty == false)
    try loop.skip(.seconds(31))
    #expect(loop.server.openConnections == 0)
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.isReset, "the kernel keeps nothing for it")
  }

  @Test("lets a client read a refusal before its connection goes, but not for ever")
  func lingering() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send("nonsense\r\n\r\n" + String(repeating: "x", count: 100_000))
    try loop.settle()
    try client.send("more that nobody reads")
    try loop.settle()
    client.receive()
    #expect(client.codes == [400])
    #expect(loop.server.openConnections == 1)
    try loop.skip(.seconds(3))
    #expect(loop.server.openConnections == 0)
  }
}

@Suite("A draining server")
struct ServerDrainTests {
  @Test(
    "answers a client that has pipelined more than is taken at once to the end, without a reset")
  func moreThanTaken() throws {
    var limits = Limits()
    limits.pipelined = 4
    var loop = try ServerLoop(limits)
    let client = try Client(loop.port)
    try client.send(String(repeating: visit, count: 100))
    try loop.turn(until: "some came") { $0.waitingRequests.count == 4 }
    loop.server.drain()
    var number: Int64 = 0
    for _ in 0..<2000 where !client.isClosed {
      while !loop.waitingRequests.isEmpty {
        number += 1
        loop.answer(number)
      }
      try loop.turn()
      client.receive()
    }
    #expect(client.numbers == Array(1...100))
    #expect(!client.isReset)
    #expect(loop.server.openConnections == 1, "it lingers")
    client.endSending()
    try loop.turn(until: "it is closed") { $0.server.openConnections == 0 }
  }

  @Test("answers what was waitingRequests, says goodbye with it, and accepts nothing more")
  func drain() throws {
    var loop = try ServerLoop()
    let waiting = try Client(loop.port)
    let idle = try Client(loop.port)
    try waiting.send(visit + visit)
    try loop.turn(until: "both came") { $0.waitingRequests.count == 2 }
    try loop.turn(until: "the idle one is open") { $0.server.openConnections == 2 }
    loop.server.drain()
    #expect(throws: SystemError.self) { _ = try Client(loop.port) }

    loop.answer(1)
    loop.answer(2)
    try loop.turn(until: "the end", of: waiting) { $0.isClosed }
    #expect(waiting.numbers == [1, 2])
    let answers = waiting.received.components(separatedBy: "HTTP/1.1 200")
    #expect(answers.map { $0.contains("Connection: close") } == [false, false, true])

    try idle.send(now)
    try loop.turn(until: "its last answer", of: idle) { $0.isClosed }
    #expect(idle.received.contains("Connection: close"))
  }

  @Test("counts nobody behind an answer that says goodbye, though it has to wait for another")
  func nothingBehindGoodbye() throws {
    var loop = try ServerLoop()
    let client = try Client(loop.port)
    try client.send(visit)
    try loop.turn(until: "the visit came") { $0.waitingRequests.count == 1 }
    loop.server.drain()
    try client.send(now)
    try loop.settle()
    try client.send(visit)
    try loop.settle()
    #expect(loop.waitingRequests.count == 1)
    loop.answer(1)
    try loop.turn(until: "the end", of: client) { $0.isClosed }
    #expect(client.codes == [200, 200])
    #expect(client.received.hasSuffix("now"))
  }

  @Test("takes those that had connected already, and closes those that stay idle")
  func idle() throws {
    var loop = try ServerLoop()
    let late = try Client(loop.port)
    loop.server.drain()
    #expect(loop.server.openConnections == 1)
    try late.send(visit)
    try loop.turn(until: "it came") { $0.waitingRequests.count == 1 }
    loop.server.closeIdle()
    #expect(loop.server.openConnections == 1)
    loop.answer(1, flushed: false)
    loop.server.closeIdle()
    try loop.turn(until: "the end", of: late) { $0.isClosed }
    #expect(late.numbers == [1])
    late.endSending()
    try loop.turn(until: "it is closed") { $0.server.openConnections == 0 }
  }
}

extension String {
  fileprivate func components(separatedBy separator: String) -> [Substring] {
    split(separator: separator, omittingEmptySubsequences: false)
  }
}
