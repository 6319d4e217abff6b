import Foundation
import Testing

@testable import TestSupport

extension ReliabilityTests {
  /// More clients than there may be, and no descriptor for another.
  @Suite("Too many connections")
  struct FullTests {
    private static let visit = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test("Beyond --max-connections the newest wait in the backlog, and those connected go on")
    func maxConnections() throws {
      try withCounterAndRedis(["--threads", "2", "--max-connections", "50"]) { counter, redis in
        // The one that asked whether the counter is ready is gone before they come.
        let empty = try counter.settledOpenFiles()
        let clients = try (0..<150).map { _ in try counter.client() }
        for client in clients { try client.send(Self.visit) }
        try waitUntil("it is full") { counter.openFiles == empty + 50 }
        try counter.waitUntilLogged("as many connections as may be are open")
        let load = counter.load(over: .milliseconds(500))
        #expect(load < 0.1, "waiting costs nothing")

        let isIn = try clients.map { try $0.socket.isReadable(within: .zero) }
        #expect(isIn.count(where: \.self) == 50)
        var numbers: [Int64?] = []
        for (client, isIn) in zip(clients, isIn) where isIn {
          numbers.append(try client.readResponse().number)
          numbers.append(try client.visit())
        }
        let began = ContinuousClock.now
        // As one leaves, the next comes in, whether it waits at this loop or at the other.
        for (client, isIn) in zip(clients, isIn) where isIn { client.socket.end() }
        for (client, isIn) in zip(clients, isIn) where !isIn {
          numbers.append(try client.readResponse().number)
          client.socket.end()
        }
        let time = ContinuousClock.now - began
        #expect(numbers.compactMap(\.self).sorted() == Array(1...200))
        #expect(try redis.hits == "200")
        Report.add(
          "150 connections to a counter that may have 50",
          "50 are served, the rest wait in the backlog and come in as others leave",
          "\(load.text(2)) processors busy while full; the other 100 served within \(time.seconds.text(2)) s"
        )
      }
    }

    @Test("Out of descriptors it does not spin, and goes on as soon as some come free")
    func outOfDescriptors() throws {
      try withRedis { redis in
        try withTemporaryFolder { folder in
          let counter = try CounterProcess(
            ["--redis", redis.url, "--threads", "2"], folder: folder)
          defer { counter.end() }
          try counter.waitUntilReady()
          _ = try counter.settledOpenFiles()
          let early = try (0..<20).map { _ in try counter.client() }
          for client in early { _ = try client.visit() }

          // Somebody takes the descriptors away that the program counted on.
          try counter.limitOpenFiles(to: counter.firstFreeDescriptor, in: folder)
          let late = try (0..<40).map { _ in try counter.client() }
          for client in late { try client.send(Self.visit) }
          try counter.waitUntilLogged("no more connections can be accepted")
          let load = counter.load(over: .seconds(1))
          #expect(load < 0.1, "it does not spin")
          for client in early { #expect(try client.visit() > 0) }

          let began = ContinuousClock.now
          for client in early { client.socket.end() }
          try waitUntil("20 of those that waited are served", within: .seconds(2)) {
            try late.count { try $0.socket.isReadable(within: .zero) } == 20
          }
          let healed = ContinuousClock.now - began
          try counter.limitOpenFiles(to: 10_000, in: folder)
          for client in late { #expect(try client.readResponse().number != nil) }
          #expect(counter.log.split(separator: "\n").count { $0.contains("no more conn") } <= 2)
          Report.add(
            "no descriptor left (EMFILE), 40 connections waiting", "it does not spin, and heals",
            "\(load.text(2)) processors busy meanwhile; served \(healed.seconds.text(2)) s after some came free"
          )
        }
      }
    }

    @Test("More connections than the limit of open files are refused at the start, exit code 69")
    func tooMany() throws {
      try withTemporaryFolder { folder in
        for (flags, limit) in [(["--max-connections", "1000"], 200), (["--threads", "8"], 90)] {
          let counter = try CounterProcess.start(
            ["--host", "127.0.0.1", "--port", "0", "--redis", "unix:/none"] + flags,
            environment: [:], folder: folder, openFiles: limit)
          #expect(try counter.waitForExit() == 69)
          #expect(counter.errors.contains("\(limit) open files"))
          #expect(counter.errors.split(separator: "\n").count == 1)
        }
      }
    }

  }
}
