import Foundation
import Testing

@testable import TestSupport

@Suite("A stream of a counter", .serialized)
struct StreamTests {
  private static let blog = "/stream/blog/home"

  @Test("begins with the number, and goes on with each that follows, as data and id")
  func numbers() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      #expect(try client.get("/hit/blog/home").value == 1)
      let stream = try EventStream(counter, Self.blog)
      #expect(try stream.nextEvent() == EventStream.Event("id: 1\ndata: 1"))
      for number: Int64 in 2...4 {
        #expect(try client.get("/hit/blog/home").value == number)
        #expect(try stream.nextEvent() == EventStream.Event("id: \(number)\ndata: \(number)"))
      }
      #expect(try stream.isQuiet(for: .seconds(1)), "no event without a change")
    }
  }

  @Test("has a head that keeps proxies from buffering it, and that pages of any origin may read")
  func head() throws {
    try withCounterAndRedis { counter, _ in
      let head = try EventStream(counter, Self.blog, "Origin: https://blog.example").head
      #expect(head.status == 200)
      #expect(head["Content-Type"] == "text/event-stream")
      #expect(head["Access-Control-Allow-Origin"] == "*")
      #expect(head["X-Accel-Buffering"] == "no")
      #expect(head["Cache-Control"]?.contains("no-store") == true)
      #expect(head["Cache-Control"]?.contains("no-transform") == true)
      #expect(head["Connection"] == "close" && head["Content-Length"] == nil)
      let response = try counter.client().request("HEAD", Self.blog)
      #expect(response.status == 200 && response["Content-Type"] == "text/event-stream")
      let client = try counter.client()
      try client.send("HEAD \(Self.blog) HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try client.readToEnd().hasSuffix("\r\n\r\n"), "a HEAD request gets the head alone")
    }
  }

  @Test("is spoken to HTTP/1.0, too")
  func oldVersion() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      try client.send("GET \(Self.blog) HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      #expect(try client.readResponse(toHead: true)["Connection"] == "close")
      #expect(try client.read(upTo: "\n\n") == "id: 0\ndata: 0")
    }
  }

  @Test("has at most four events a second, and the newest number in each")
  func rate() throws {
    try withCounterAndRedis(["--threads", "1"]) { counter, redis in
      let stream = try EventStream(counter, Self.blog)
      let client = try counter.client()
      var last: Int64 = 0
      let began = ContinuousClock.now
      while ContinuousClock.now - began < .seconds(2) {
        last = try #require(try client.get("/hit/blog/home").value)
      }
      let numbers = try stream.read(until: last)
      #expect((5...11).contains(numbers.count), "in two seconds, and one at once: \(numbers)")
      #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count)
    }
  }

  @Test("of a counter that does not exist is 0 until the first hit, and 0 when it is removed")
  func absent() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      let stream = try EventStream(counter, Self.blog)
      #expect(try stream.nextNumber() == 0)
      #expect(try client.ask("GET /get/blog/home").status == 404, "it is not made by that")
      #expect(try client.ask("GET /hit/blog/home").value == 1)
      #expect(try stream.nextNumber() == 1)
      #expect(try client.manage("PUT /counters/blog/home?value=9223372036854775807").status == 200)
      #expect(try stream.nextNumber() == .max)
      #expect(try client.manage("PUT /counters/blog/home?value=-9223372036854775808").status == 200)
      #expect(try stream.nextNumber() == .min)
      #expect(try client.manage("DELETE /counters/blog/home").status == 200)
      #expect(try stream.nextNumber() == 0)
    }
  }

  @Test("of the visits of / reads them and counts none")
  func hits() throws {
    try withCounterAndRedis { counter, redis in
      let stream = try EventStream(counter, "/stream/")
      #expect(try stream.nextNumber() == 0)
      #expect(try redis.hits == nil)
      #expect(try counter.visit() == 1)
      #expect(try stream.nextNumber() == 1)
      #expect(try stream.isQuiet(for: .seconds(1)))
      #expect(try counter.visit() == 2)
    }
  }

  @Test("takes the names that reads take")
  func names() throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      for (hit, targets) in [
        ("/hit/blog/a%2Fb", ["/stream/blog/a%2Fb", "/stream/blog?key=a%2Fb"]),
        ("/hit/blog/%C3%A4%20b", ["/stream/blog/%C3%A4%20b", "/stream/blog?key=%c3%a4+b"]),
        ("/hit/visits", ["/stream/visits", "/stream/default/visits"]),
      ] {
        let value = try #require(try client.get(hit).value)
        for target in targets {
          #expect(try EventStream(counter, target).nextNumber() == value, "\(target)")
        }
      }
    }
  }

  @Test("that cannot begin is refused with the reason")
  func problems() throws {
    try withCounterAndRedis(["--namespaces", "blog"]) { counter, _ in
      let client = try counter.client()
      for path in ["/stream", "/live"] {
        expectProblem(
          try client.get("\(path)/other/home"), 404, "This server does not have this namespace.")
        expectProblem(
          try client.get("\(path)/bl%20og/home"), 400,
          "A namespace is made of A-Z, a-z, 0-9, '.', '_' and '-'.")
        expectProblem(
          try client.get("\(path)/blog/..%2F"), 400,
          "A key has no segment '.' or '..', which clients and proxies resolve.")
        expectProblem(
          try client.get("\(path)/blog?key=a&key=b"), 400, "Only /get takes several keys.")
        expectProblem(
          try client.get("\(path)/blog?key=%zz"), 400,
          "The query is malformed: two hexadecimal digits follow a percent sign.")
        #expect(try client.request("POST", "\(path)/blog/home").status == 405)
      }
    }
  }

  @Test("beyond the limit is refused, and makes room as soon as its client leaves")
  func limit() throws {
    try withMetrics(["--threads", "1", "--max-streams", "2"]) { counter, _, port in
      let first = try EventStream(counter, Self.blog)
      let second = try EventStream(counter, "/stream/")
      #expect(try first.nextNumber() == 0)
      #expect(try second.nextNumber() == 0)
      let client = try counter.client()
      let response = try client.get(Self.blog)
      expectProblem(response, 503, "As many streams are open as may be. Please try again.")
      #expect(response["Retry-After"] == "10")
      #expect(try client.visit() == 1, "other requests go on, on the same connection")
      first.close()
      try waitUntil("the place is free", within: .seconds(2)) {
        try EventStream(counter, Self.blog).head.status == 200
      }
      let scrape = try Scrape(port: port)
      #expect(scrape["counter_streams_limit"] == 2)
      #expect((scrape["counter_streams_refused_total"] ?? 0) >= 1)
      #expect((scrape["counter_stream_events_total"] ?? 0) >= 2)
    }
  }

  @Test("is no stream with --max-streams 0")
  func none() throws {
    try withCounterAndRedis(["--max-streams", "0"]) { counter, _ in
      let client = try counter.client()
      #expect(try client.get(Self.blog).status == 503)
    }
  }

  @Test("tells when Redis is away, and the number when it is back")
  func redisAway() throws {
    try withCounterAndRedis(["--visit-timeout", "0.5"]) { counter, redis in
      let client = try counter.client()
      #expect(try client.get("/hit/blog/home").value == 1)
      let stream = try EventStream(counter, Self.blog)
      #expect(try stream.nextNumber() == 1)
      redis.freeze()
      let event = try stream.nextEvent()
      #expect(event.name == "problem" && event.id == nil)
      #expect(event.data == "Redis does not answer in time. Please try again.")
      let late = try EventStream(counter, Self.blog)
      #expect(try late.nextEvent().name == "problem")
      #expect(try stream.isQuiet(for: .seconds(1)), "it is told once")
      redis.thaw()
      #expect(try stream.nextNumber() == 1)
      #expect(try late.nextNumber() == 1)
    }
  }

  @Test("tells that the key holds no integer")
  func noInteger() throws {
    try withCounterAndRedis { counter, redis in
      _ = try redis.command("SET", "hits", "much")
      let stream = try EventStream(counter, "/stream/")
      #expect(
        try stream.nextEvent().data
          == "The counter's key in Redis holds something else than an integer.")
      _ = try redis.command("SET", "hits", "7")
      #expect(try stream.nextNumber() == 7)
    }
  }

  @Test("ends when the counter stops, with a time to come back at that differs")
  func drain() throws {
    try withCounterAndRedis(["--drain-delay", "1", "--threads", "1"]) { counter, _ in
      let streams = try (0..<20).map { _ in try EventStream(counter, Self.blog) }
      for stream in streams { #expect(try stream.nextNumber() == 0) }
      counter.send(signal: SIGTERM)
      try counter.waitUntilLogged("draining")
      let client = try counter.client()
      #expect(try client.get("/hit/blog/home").value == 1)
      #expect(try streams[0].nextNumber() == 1, "it goes on during the delay")
      var retries: Set<Int> = []
      for stream in streams {
        let text = try stream.readToEnd()
        let last = try #require(text.components(separatedBy: "\n\n").dropLast().last)
        let retry = try #require(Int(last.dropFirst("retry: ".count)), "\(text)")
        #expect((1000...5000).contains(retry))
        retries.insert(retry)
        stream.close()
      }
      #expect(retries.count > 15, "not all at once")
      #expect(try counter.waitForExit(within: .seconds(4)) == 0)
    }
  }

  @Test("that never reads does not hold up a stop")
  func drainWithoutReader() throws {
    try withCounterAndRedis { counter, _ in
      let stream = try EventStream(counter, Self.blog)
      counter.send(signal: SIGTERM)
      #expect(try counter.waitForExit(within: .seconds(5)) == 0)
      withExtendedLifetime(stream) {}
    }
  }

  @Test("costs one reading a counter and tick, however many watch it, and none when nobody does")
  func readings() throws {
    try withCounterAndRedis(["--threads", "1"]) { counter, redis in
      let streams = try (0..<100).map { _ in try EventStream(counter, Self.blog) }
      for stream in streams { #expect(try stream.nextNumber() == 0) }
      let start = ContinuousClock.now
      let before = try redis.callCount("evalsha")
      Thread.sleep(forTimeInterval: 2)
      let count = try redis.callCount("evalsha") - before
      // A busy machine may wake the test late.
      let quarters = Int((ContinuousClock.now - start) / .milliseconds(250))
      #expect((5...quarters + 1).contains(count), "four a second")
      for stream in streams { stream.close() }
      try waitUntil("nothing is read any more", within: .seconds(3)) {
        let before = try redis.callCount("evalsha")
        Thread.sleep(forTimeInterval: 0.6)
        return try redis.callCount("evalsha") == before
      }
    }
  }

  @Test("of more counters than are read with a tick comes in turn, and hits are answered meanwhile")
  func manyCounters() throws {
    try withCounterAndRedis(["--threads", "1"]) { counter, _ in
      let streams = try (0..<1500).map { try EventStream(counter, "/stream/many/\($0)") }
      for stream in streams { #expect(try stream.nextNumber() == 0) }
      let client = try counter.client()
      for index in stride(from: 0, to: 1500, by: 100) {
        let began = ContinuousClock.now
        #expect(try client.get("/hit/many/\(index)").value == 1)
        #expect(ContinuousClock.now - began < withSlack(.seconds(1)))
        #expect(try streams[index].nextNumber() == 1)
      }
      #expect(try streams[1].isQuiet(for: .milliseconds(100)))
    }
  }

  @Test("shows the same with each replica")
  func replicas() throws {
    try withRedis { redis in
      try withCounter(["--redis", redis.url]) { first in
        try withCounter(["--redis", redis.url]) { second in
          let stream = try EventStream(second, Self.blog)
          #expect(try stream.nextNumber() == 0)
          for number: Int64 in 1...3 {
            let client = try first.client()
            #expect(try client.get("/hit/blog/home").value == number)
            let began = ContinuousClock.now
            #expect(try stream.nextNumber() == number)
            #expect(ContinuousClock.now - began < withSlack(.seconds(1)))
          }
        }
      }
    }
  }

  @Test("on which nothing happens gets a comment in 15 seconds")
  func comment() throws {
    try withCounterAndRedis { counter, _ in
      let stream = try EventStream(counter, Self.blog, limit: .seconds(20))
      #expect(try stream.nextNumber() == 0)
      var before = ContinuousClock.now
      #expect(try stream.next().isComment)
      #expect(ContinuousClock.now - before < withSlack(.seconds(16)))
      before = .now
      #expect(try stream.next().isComment)
      #expect((14..<17).contains((ContinuousClock.now - before).components.seconds))
    }
  }

  @Test("leaves one line in the access log, when it begins")
  func accessLog() throws {
    try withCounterAndRedis(["--access-log"]) { counter, _ in
      let stream = try EventStream(counter, Self.blog)
      #expect(try stream.nextNumber() == 0)
      try waitUntil("the line is there") {
        counter.process.output.contains(#""GET /stream/blog/home HTTP/1.1" 200 0 "#)
      }
      stream.close()
      Thread.sleep(forTimeInterval: 0.3)
      #expect(counter.process.output.components(separatedBy: "/stream/").count == 2)
    }
  }

  @Test("must leave connections for other requests")
  func tooManyStreams() throws {
    try withTemporaryFolder { folder in
      let process = try CounterProcess.run(
        [
          "--port", "0", "--threads", "2", "--max-connections", "100", "--max-streams", "99",
          "--redis", "redis://127.0.0.1:1",
        ], folder: folder)
      #expect(process.exitCode == 69)
      #expect(
        process.errors.contains(
          "99 streams take more than the 100 connections, 98 fit beside other requests"))
    }
  }
}
