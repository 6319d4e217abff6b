import Foundation
import Glibc
import Testing

@testable import TestSupport

@Suite("Metrics", .serialized)
struct MetricsTests {
  @Test("Tell what was asked and answered, to the request and the byte")
  func traffic() throws {
    try withMetrics(["--threads", "2"]) { counter, redis, port in
      try waitUntil("every loop has found Redis") {
        try Scrape(port: port)["counter_redis_connected_loops"] == 2
      }
      let before = try Scrape(port: port)
      var sent = 0
      var received = 0
      /// Asks on a connection of its own, whose bytes are counted.
      func ask(_ requests: String) throws {
        let client = try counter.client()
        try client.send(requests)
        client.socket.finishSending()
        sent += requests.utf8.count
        received += try client.readToEnd().utf8.count
      }
      let visit = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
      for _ in 0..<9 { try ask(visit) }
      try ask(String(repeating: visit, count: 30))
      try ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
      for path in ["/health", "/ready", "/nope", "/nope"] {
        try ask("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
      }
      try ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
      try ask("no request\r\n\r\n")
      #expect(try redis.hits == "40")

      try waitUntil("every connection is closed") {
        try Scrape(port: port)["counter_http_connections_open"] == 0
      }
      let after = try Scrape(port: port)
      func grown(_ name: String, _ label: String? = nil) -> Double {
        (after[name, label] ?? .nan) - (before[name, label] ?? .nan)
      }
      #expect(after["counter_visits_total", "counted"] == 40)
      #expect(after["counter_visits_total", "unavailable"] == 0)
      #expect(after["counter_visits_total", "abandoned"] == 0)
      #expect(after["counter_visits_waiting"] == 0)
      #expect(after["counter_batch_size_sum"] == 40)
      #expect(after["counter_visit_duration_seconds_count"] == 40)
      #expect(grown("counter_http_requests_total", "200") == 42)
      #expect(grown("counter_http_requests_total", "404") == 2)
      #expect(grown("counter_http_requests_total", "405") == 1)
      #expect(grown("counter_http_requests_total", "400") == 1)
      #expect(grown("counter_http_received_bytes_total") == Double(sent))
      #expect(grown("counter_http_sent_bytes_total") == Double(received))
      #expect(grown("counter_http_connections_total") == 17)
      // A loop that the script is new to sends its first batch a second time.
      let batches = try #require(after["counter_batch_size_count"])
      let roundTrips = try #require(after["counter_redis_round_trip_seconds_count"])
      #expect(batches >= 10 && batches <= 40)
      #expect((batches...batches + 2).contains(roundTrips))
      expectSound(after)
    }
  }

  @Test("Never fall, and agree with each other, while visitors visit")
  func load() throws {
    try withMetrics { counter, redis, port in
      let visitors = Visitors(16, ports: [counter.port])
      var last = try Scrape(port: port)
      for _ in 0..<8 {
        try visitors.waitUntilAnswered(more: 100)
        let next = try Scrape(port: port)
        expectSound(next)
        for (name, sample) in last.byLabels
        where sample.type == "counter" || sample.type == "histogram" {
          let value = next.byLabels[name]?.value ?? -1
          #expect(value >= sample.value, "\(name) fell from \(sample.value) to \(value)")
        }
        #expect(
          next["counter_visits_total", "counted"] ?? 0 > last["counter_visits_total", "counted"]
            ?? 0)
        #expect((next["counter_http_connections_open"] ?? 0) >= 16)
        last = next
      }
      let tally = try visitors.stop()
      try expectExact(tally, in: redis)
      let end = try Scrape(port: port)
      #expect(end["counter_visits_total", "counted"] == Double(tally.visits.count))
      #expect(end["counter_batch_size_sum"] == Double(tally.visits.count))
      #expect(end["counter_visit_duration_seconds_count"] == Double(tally.visits.count))
    }
  }

  @Test("Are there while Redis is away, and tell of it")
  func withoutRedis() throws {
    try withMetrics(["--visit-timeout", "0.3", "--threads", "1"]) { counter, redis, port in
      #expect(try counter.visit() == 1)
      redis.crash()
      try expectUnavailable(counter.client().get("/"))
      let away = try Scrape(port: port)
      #expect(away["counter_visits_total", "unavailable"] == 1)
      #expect(away["counter_http_requests_total", "503"] == 1)
      #expect(away["counter_redis_connected_loops"] == 0)
      #expect(away["counter_redis_connections_lost_total"] == 1)
      #expect(away["counter_redis_connection_failures_total"] ?? 0 > 0)
      #expect(away["counter_redis_reconnects_total"] == 0)
      let waited = try #require(away["counter_visit_duration_seconds_sum"])
      #expect(waited > 0.3 && waited < 2, "the visit that was not counted waited so long")

      try redis.start()
      try waitUntil("it is counted again") { try counter.client().get("/").number == 2 }
      let back = try Scrape(port: port)
      #expect(back["counter_redis_connected_loops"] == 1)
      #expect(back["counter_redis_reconnects_total"] == 1)
    }
  }

  @Test("Tell of visitors who went away, and of batches in doubt")
  func abandoned() throws {
    try withMetrics(["--threads", "1"]) { counter, redis, port in
      #expect(try counter.visit() == 1)
      redis.freeze()
      var client: HTTPClient? = try counter.client()
      try client?.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      try waitUntil("the visit waits") { try Scrape(port: port)["counter_visits_waiting"] == 1 }
      try client?.socket.resetOnClose()
      client = nil
      try waitUntil("the batch is in doubt") {
        try Scrape(port: port)["counter_batches_interrupted_total"] ?? 0 > 0
      }
      redis.thaw()
      try waitUntil("the visit is over") {
        try Scrape(port: port)["counter_visits_total", "abandoned"] == 1
      }
      #expect(try Scrape(port: port)["counter_visits_total", "counted"] == 1)
    }
  }

  @Test("Tell of batches that Redis refuses")
  func refused() throws {
    try withMetrics { counter, redis, port in
      _ = try redis.command("SET", "hits", "many")
      try expectUnavailable(counter.client().get("/"))
      #expect(try Scrape(port: port)["counter_batches_refused_total"] == 1)
    }
  }

  @Test("Tell of the process what the kernel tells")
  func process() throws {
    try withMetrics { counter, _, port in
      for _ in 0..<50 { _ = try counter.visit() }
      let scrape = try Scrape(port: port)
      let folder = "/proc/\(counter.process.id)"
      let open = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/fd").count
      let pages = try String(contentsOfFile: "\(folder)/statm", encoding: .utf8)
        .split(separator: " ").compactMap { Double($0) }[1]
      let resident = try #require(scrape["process_resident_memory_bytes"])
      let started = try #require(scrape["process_start_time_seconds"])
      let cpu = try #require(scrape["process_cpu_seconds_total"])
      #expect(abs((scrape["process_open_fds"] ?? 0) - Double(open)) <= 3)
      #expect(scrape["process_max_fds"] ?? 0 >= 1024)
      #expect(abs(resident / (pages * Double(getpagesize())) - 1) < 0.2)
      #expect(abs(Date().timeIntervalSince1970 - started) < 60)
      #expect(cpu > 0 && cpu < 60)
      let uptime = try #require(scrape["counter_uptime_seconds"])
      #expect(uptime > 0 && uptime < 60)
      #expect(scrape.samples.contains { $0.name == "counter_build_info" && $0.value == 1 })
    }
  }

  @Test("Find nothing to complain about in promtool")
  func promtool() throws {
    try withMetrics { counter, _, port in
      _ = try counter.visit()
      let text = try Scrape(port: port).text
      try withTemporaryFolder { folder in
        try text.write(toFile: "\(folder)/metrics", atomically: false, encoding: .utf8)
        let check = "exec '\(Tools.promtool)' check metrics < '\(folder)/metrics'"
        #expect(try Tools.run("/bin/sh", ["-c", check], folder: folder).isEmpty)
      }
    }
  }

  // MARK: The port

  @Test("Have a port of their own, where nothing counts")
  func port() throws {
    try withMetrics { counter, redis, port in
      try counter.waitUntilLogged("metrics on 127.0.0.1:\(port)")
      let client = try HTTPClient(port: port)
      #expect(try client.get("/").status == 404)
      #expect(try client.get("/health").status == 404)
      #expect(try client.request("POST", "/metrics").status == 405)
      #expect(try client.request("HEAD", "/metrics").status == 200)
      #expect(try counter.client().get("/metrics").status == 404)
      #expect(try redis.hits == nil)
    }
  }

  @Test("Take no more open files than are kept for them, and go on when some come free")
  func connections() throws {
    try withMetrics { counter, _, port in
      func openFiles() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(counter.process.id)/fd").count
      }
      let before = try openFiles()
      var clients = try (0..<60).map { _ in try HTTPClient(port: port) }
      try waitUntil("some are accepted") { try openFiles() > before + 8 }
      for _ in 0..<20 { _ = try counter.visit() }
      #expect(try openFiles() <= before + 17, "16, and the visitor's own")
      clients.removeAll()
      try waitUntil("somebody reads them again") { (try? Scrape(port: port)) != nil }
    }
  }

  @Test("Are served to another, though as many keep their connections as may")
  func keptConnections() throws {
    try withMetrics { _, _, port in
      let kept = try (0..<16).map { _ in try HTTPClient(port: port) }
      for client in kept { #expect(try client.get("/metrics").status == 200) }
      let began = ContinuousClock.now
      #expect(try HTTPClient(port: port, limit: .seconds(20)).get("/metrics").status == 200)
      #expect(ContinuousClock.now - began < withSlack(.seconds(9)), "Prometheus gives up after ten")
    }
  }

  @Test("Go without one when it is 0")
  func off() throws {
    try withCounterAndRedis(["--metrics-port", "0"]) { counter, _ in
      try counter.waitUntilLogged("listening on")
      _ = try counter.visit()
      #expect(!counter.log.contains("metrics"))
    }
  }

  @Test("A port that is taken is named with its flag, exit code 69")
  func taken() throws {
    try withRedis { redis in
      try withTemporaryFolder { folder in
        let port = try FreePort.take()
        let other = try Socket.listen(on: .ipv4(port))
        let counter = try CounterProcess.run(
          [
            "--host", "127.0.0.1", "--port", "0", "--redis", redis.url, "--metrics-port", "\(port)",
          ], folder: folder)
        expectRefusal(by: counter, code: 69, naming: "--metrics-port: 127.0.0.1:\(port)")
        other.end()
      }
    }
  }

  @Test("METRICS_PORT is heard")
  func variable() throws {
    let port = try FreePort.take()
    try withRedis { redis in
      try withCounter(["--redis", redis.url], environment: ["METRICS_PORT": "\(port)"]) { _ in
        let scrape = try Scrape(port: port)
        #expect(scrape["counter_draining"] == 0)
      }
    }
  }

  @Test("Are served while the counter drains, and say so")
  func draining() throws {
    try withMetrics(["--visit-timeout", "3"]) { counter, redis, port in
      redis.freeze()
      let client = try counter.client()
      try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      try waitUntil("the visit waits") { try Scrape(port: port)["counter_visits_waiting"] == 1 }
      counter.send(signal: SIGTERM)
      try waitUntil("it drains") { try Scrape(port: port)["counter_draining"] == 1 }
      redis.thaw()
      #expect(try client.readResponse().number == 1)
      #expect(try counter.waitForExit() == 0)
    }
  }
}

/// What holds for the metrics at any moment.
private func expectSound(_ scrape: Scrape, sourceLocation: SourceLocation = #_sourceLocation) {
  for name in [
    "counter_visit_duration_seconds", "counter_batch_size", "counter_redis_round_trip_seconds",
  ] {
    let buckets = scrape.buckets(name)
    let counts = buckets.map(\.count)
    #expect(buckets.count > 10, sourceLocation: sourceLocation)
    #expect(counts == counts.sorted(), "\(name) is cumulative", sourceLocation: sourceLocation)
    #expect(counts.last == scrape["\(name)_count"], "\(name)", sourceLocation: sourceLocation)
    // The smallest and the largest sum that these counts can have.
    var least = 0.0
    var before = (bound: 0.0, count: 0.0)
    for bucket in buckets {
      least += (bucket.count - before.count) * before.bound
      before = bucket
    }
    #expect(
      (scrape["\(name)_sum"] ?? -1) >= least * 0.999, "\(name)", sourceLocation: sourceLocation)
  }
}
