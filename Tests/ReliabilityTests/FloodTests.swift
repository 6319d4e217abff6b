import Foundation
import Synchronization
import Testing

@testable import TestSupport

extension ReliabilityTests {
  /// Clients that send as much as they can: memory stays bounded, and others have their turn.
  @Suite("Floods")
  struct FloodTests {
    private static let visit = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test("10,000 requests in one write are all answered, in order")
    func tenThousand() throws {
      try withCounterAndRedis(["--threads", "1"]) { counter, redis in
        let client = try counter.client(limit: .seconds(20))
        try counter.forgetPeakMemory()
        let before = counter.residentMemory
        let flood = Array(
          (String(repeating: Self.visit, count: 9_999)
            + "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").utf8)
        let socket = client.socket
        let sending = Background(every: .seconds(60)) { try? socket.send(flood) }
        let answers = try client.readToEnd().components(separatedBy: "been seen ").dropFirst()
        _ = sending
        #expect(answers.compactMap { Int64($0.prefix { $0 != " " }) } == Array(1...10_000))
        #expect(try redis.hits == "10000")
        let growth = counter.peakMemory - before
        #expect(growth < 2, "MiB")
        Report.add(
          "10,000 visits in one write", "all answered, in order, with bounded memory",
          "\(growth.text()) MiB more at the peak")
      }
    }

    @Test("Beside 20 clients that pipeline without a pause, a normal visitor gets its turn")
    func fairness() throws {
      try withCounterAndRedis(["--threads", "1"]) { counter, _ in
        let port = counter.port
        let visitor = try NormalVisitor(port: port)
        let time = Scale.choose(short: Duration.seconds(2), full: .seconds(10))
        let alone = try visitor.visit(for: time).percentile(99)
        try counter.forgetPeakMemory()
        let flooders = Mutex(try (0..<20).map { _ in try Flooder(port: port) })
        let flooding = Background(every: .milliseconds(1)) {
          flooders.withLock { flooders in
            for index in flooders.indices { try? flooders[index].flood() }
          }
        }
        let (began, busy) = (ContinuousClock.now, counter.processorTime)
        let latencies = try visitor.visit(for: time)
        let load = (counter.processorTime - busy) / (ContinuousClock.now - began)
        flooding.stop()
        #expect(load > 0.05, "or this shows nothing")
        // A turn of each flooder is a fraction of a millisecond; the rest is for a busy machine.
        #expect(latencies.percentile(50) < .milliseconds(50), "\(latencies.percentile(50))")
        #expect(latencies.percentile(99) < .milliseconds(500), "\(latencies.percentile(99))")
        #expect(counter.peakMemory < 40, "MiB")
        Report.add(
          "20 clients that send thousands of requests at once, again and again, to one loop",
          "a normal visitor has its turn in every round",
          """
          p50 \(latencies.percentile(50).milliseconds.text(2)) ms, \
          p99 \(latencies.percentile(99).milliseconds.text(2)) ms (alone: \(alone.milliseconds.text(2)) \
          ms), loop \(Int(load * 100)) % busy, \(counter.peakMemory.text()) MiB at the peak
          """)
      }
    }

    @Test(
      "A body of 1 GiB is refused, announced or not, and takes no memory", arguments: [true, false])
    func hugeBody(isAnnounced: Bool) throws {
      let head =
        isAnnounced ? "Content-Length: \(1 << 30)\r\n\r\n" : "Transfer-Encoding: chunked\r\n\r\n"
      let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16)
      let chunk = isAnnounced ? piece : Array("10000\r\n".utf8) + piece + Array("\r\n".utf8)
      try expectRefusal(
        "a body of 1 GiB, \(isAnnounced ? "announced" : "in chunks")", status: 413,
        opening: "POST / HTTP/1.1\r\nHost: x\r\n" + head, repeating: chunk, times: 1 << 14)
    }

    @Test("A header of 10 MiB is refused and takes no memory")
    func hugeHeader() throws {
      let field = Array("X: \(String(repeating: "x", count: 1 << 16))\r\n".utf8)
      try expectRefusal(
        "a header of 10 MiB", status: 431, opening: "GET / HTTP/1.1\r\nHost: x\r\n",
        repeating: field, times: 160)
    }

    /// What begins so and goes on is refused, while a client that does not care sends the rest.
    private func expectRefusal(
      _ what: String, status: Int, opening: String, repeating piece: [UInt8], times: Int
    ) throws {
      try withCounterAndRedis { counter, redis in
        let clients = try (0..<4).map { _ in try counter.client() }
        for _ in 0..<100 { _ = try counter.visit() }
        try counter.forgetPeakMemory()
        let before = counter.residentMemory
        let began = ContinuousClock.now
        var sent = 0
        for client in clients { try client.send(opening) }
        // The counter listens for a while longer, so that they can read why.
        for _ in 0..<times where ContinuousClock.now - began < .seconds(10) {
          guard let count = try? clients.map({ try $0.socket.sendAtOnce(piece) }).reduce(0, +)
          else {
            break
          }
          sent += count
        }
        let growth = counter.peakMemory - before
        #expect(growth < 2, "MiB")
        #expect(
          try clients.map { try $0.readResponse().status } == Array(repeating: status, count: 4))
        #expect(try counter.visit() == 101)
        #expect(try redis.hits == "101")
        Report.add(
          what, "\(status), with bounded memory",
          "4 clients sent \((Double(sent) / 1_048_576).text(0)) MiB; \(growth.text()) MiB more at the peak"
        )
      }
    }

    @Test("200 clients that ask and never read take a bounded amount of memory each")
    func neverReading() throws {
      Scale.raiseOpenFiles
      try withCounterAndRedis(["--threads", "1"]) { counter, redis in
        try counter.forgetPeakMemory()
        let before = counter.residentMemory
        let flood = Array(
          String(repeating: "GET /health HTTP/1.1\r\nHost: x\r\n\r\n" + Self.visit, count: 500).utf8
        )
        let clients = try (0..<200).map { _ in
          try Socket.connect(to: .ipv4(counter.port), receiveBuffer: 2048)
        }
        var taken = 0
        // Until neither the kernel nor the counter takes any more of anybody.
        var quiet = 0
        while quiet < 20 {
          let more = try clients.map { try $0.sendAtOnce(flood) }.reduce(0, +)
          taken += more
          quiet = more == 0 ? quiet + 1 : 0
          if more == 0 { Thread.sleep(forTimeInterval: 0.01) }
        }
        let each = (counter.peakMemory - before) * 1024 / 200
        #expect(each < 256, "KiB a client")
        #expect(try counter.visit() > 0)
        Report.add(
          "200 clients that ask for as much as is taken and never read",
          "a bounded amount of memory each, until they are reset",
          "\(each.text(0)) KiB each at the peak, after \(taken / 200 / 1024) KiB of requests each")
      }
    }
  }
}

/// A client that sends requests as fast as the kernel takes them, and throws the answers away.
private struct Flooder {
  private let socket: Socket
  private var sent = 0

  private static let burst = Array(
    String(repeating: "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", count: 500).utf8)

  init(port: UInt16) throws {
    socket = try Socket.connect(to: .ipv4(port))
  }

  /// Sends what can be sent now, and takes what has come.
  mutating func flood() throws {
    sent += try socket.sendAtOnce(Array(Self.burst[sent...]))
    if sent == Self.burst.count { sent = 0 }
    if try socket.isReadable(within: .zero) { _ = try socket.receive(atMost: 1 << 18) }
  }
}
