import Foundation
import Glibc
import Testing

@testable import TestSupport

/// A line in the combined format: nothing but visible ASCII and spaces, and no quotation mark within
/// what a client sent.
private func isCombined(_ line: String) -> Bool {
  let quoted = #"([ !#-\[\]-~]|\\x[0-9A-F]{2})*"#
  let form =
    #"^[0-9a-f.:]+ - - \[\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} \+0000\] "# + "\"\(quoted)\" "
    + "[1-5][0-9]{2} [0-9]+ \"\(quoted)\" \"\(quoted)\"$"
  return line.range(of: form, options: .regularExpression) != nil
}

/// Requests that try to forge a line, to end one, or to tell a terminal something.
private let forgeries: [[UInt8]] = {
  let evil: [[UInt8]] = [
    Array("\u{1B}[2J\u{1B}[31m".utf8),
    Array("\n127.0.0.1 - - [x] \"GET /forged HTTP/1.1\" 200".utf8),
    Array("\r127.0.0.1 - -".utf8), Array("\" 200 0 \"-\" \"".utf8), Array("\\x41\\".utf8),
    [0xFF, 0xFE, 0xC3, 0x28], [0xC2, 0x9B, 0x33, 0x31, 0x6D], [0], [0x7F], Array("%0d%0a%1b".utf8),
    Array("ümlaut".utf8), Array("\t".utf8), Array("{\"status\":200}".utf8),
  ]
  let forms: [(String, String)] = [
    ("GET /", " HTTP/1.1\r\nHost: x\r\n\r\n"), ("GET /?q=", " HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: ", "\r\n\r\n"),
    ("GET / HTTP/1.1\r\nHost: x\r\nReferer: ", "\r\n\r\n"),
    ("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ", "\r\n\r\n"),
    ("GET / HTTP/1.1\r\nHost: x\r\nForwarded: for=", "\r\n\r\n"), ("", "\r\n\r\n"),
    ("GE", " / HTTP/1.1\r\n\r\n"), ("GET / HTTP/", "\r\n\r\n"),
  ]
  return forms.flatMap { form in
    evil.map { Array(form.0.utf8) + $0 + Array(form.1.utf8) }
  }
}()

@Suite("The access log", .serialized)
struct AccessLogTests {
  private func waitForLines(_ count: Int, of counter: CounterProcess) throws -> [String] {
    try waitUntil("\(count) lines are written, to the end of the last") {
      counter.process.output.utf8.count { $0 == 0x0A } >= count
    }
    return counter.process.output.split(separator: "\n").map(String.init)
  }

  @Test("Has a line for each request, in the combined format")
  func combined() throws {
    try withCounterAndRedis(["--access-log", "--threads", "1"]) { counter, _ in
      let client = try counter.client()
      _ = try client.request("GET", "/?a=\"b\"", "User-Agent: curl/8", "Referer: http://x/\\y")
      _ = try client.request("HEAD", "/")
      _ = try client.get("/nope")
      _ = try client.request("POST", "/", "Content-Length: 3", "User-Agent: a b", "\r\nabc")
      try client.send("no request\r\n\r\n")
      _ = try client.readResponse()
      let lines = try waitForLines(6, of: counter).dropFirst()  // Health was asked first.
      #expect(lines.allSatisfy(isCombined), "\(lines)")
      #expect(lines.allSatisfy { $0.hasPrefix("127.0.0.1 - - [") })
      let ends = lines.map { String($0[($0.firstIndex(of: "]") ?? $0.startIndex)...].dropFirst(2)) }
      #expect(
        ends == [
          #""GET /?a=\x22b\x22 HTTP/1.1" 200 39 "http://x/\x5Cy" "curl/8""#,
          #""HEAD / HTTP/1.1" 200 0 "-" "-""#, #""GET /nope HTTP/1.1" 404 146 "-" "-""#,
          #""POST / HTTP/1.1" 405 157 "-" "a b""#, #""no request" 400 144 "-" "-""#,
        ])
      let time = try #require(lines.first?.firstMatch(of: /\[(.*)\]/)?.1)
      let form = DateFormatter()
      form.locale = Locale(identifier: "en_US_POSIX")
      form.dateFormat = "dd/MMM/yyyy:HH:mm:ss Z"
      #expect(abs(try #require(form.date(from: String(time))).timeIntervalSinceNow) < 60)
    }
  }

  @Test("Is JSON together with the log", arguments: [["--access-log"], []])
  func json(flags: [String]) throws {
    struct Line: Decodable, Equatable {
      let time: Date
      let client, request, referer, userAgent: String
      let status, bytes: Int
    }
    let environment = ["LOG_FORMAT": "json"].merging(flags.isEmpty ? ["ACCESS_LOG": "1"] : [:]) {
      $1
    }
    try withRedis { redis in
      try withCounter(flags, environment: environment.merging(["REDIS_URL": redis.url]) { $1 }) {
        counter in
        _ = try counter.client().request(
          "GET", "/?\"\\", "User-Agent: a\"}\\", "Referer: \u{1F600}")
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let lines = try waitForLines(2, of: counter)
        let line = try decoder.decode(Line.self, from: Data(try #require(lines.last).utf8))
        #expect(abs(line.time.timeIntervalSinceNow) < 60)
        #expect(line.client == "127.0.0.1")
        #expect(line.request == #"GET /?\x22\x5C HTTP/1.1"#)
        #expect(line.status == 200)
        #expect(line.bytes == 39)
        #expect(line.userAgent == #"a\x22}\x5C"#)
        #expect(line.referer == #"\xF0\x9F\x98\x80"#)
      }
    }
  }

  @Test("Cannot be forged, whatever a client sends", arguments: ["text", "json"])
  func forgery(format: String) throws {
    let flags = [
      "--access-log", "--log-format", format, "--trusted-proxies", "127.0.0.1", "--threads", "1",
    ]
    try withCounterAndRedis(flags) { counter, _ in
      var requests = 1  // Health was asked.
      for forgery in forgeries {
        let client = try counter.client()
        try client.socket.send(forgery)
        try client.send("GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let answers = try client.readToEnd()
        requests += answers.components(separatedBy: "X-Content-Type-Options").count - 1
      }
      let lines = try waitForLines(requests, of: counter)
      #expect(lines.count == requests)
      for line in lines {
        #expect(line.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "\(line)")
        if format == "text" {
          #expect(isCombined(line), "\(line)")
        } else {
          let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
          #expect(object?.count == 7, "\(line)")
          #expect(object?["client"] as? String == "127.0.0.1")
        }
      }
      #expect(!counter.log.contains("forged"))
    }
  }

  @Test("Has a line with 499 for a visitor who went away first")
  func gone() throws {
    try withCounterAndRedis(["--access-log", "--threads", "1"]) { counter, redis in
      redis.freeze()
      var client: HTTPClient? = try counter.client()
      try client?.send(
        "GET /?gone HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(try client?.hearsNothing(for: .milliseconds(100)) == true)
      try client?.socket.resetOnClose()
      client = nil
      let lines = try waitForLines(3, of: counter)
      #expect(lines.contains { $0.contains("\"GET /?gone HTTP/1.1\" 499 0 ") }, "\(lines)")
      #expect(lines.count { $0.contains("\"GET /health HTTP/1.1\" 200 24 ") } == 2)
      redis.thaw()
    }
  }

  @Test("Has every request of a pipeline, with the answer that it got")
  func pipeline() throws {
    try withCounterAndRedis(["--access-log"]) { counter, _ in
      let client = try counter.client()
      let paths = (0..<400).map {
        $0 % 3 == 0 ? "/?\($0)" : $0 % 3 == 1 ? "/health?\($0)" : "/no?\($0)"
      }
      try client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
      for _ in paths { _ = try client.readResponse() }
      // On a busy machine, more than one request asks whether the counter is ready.
      var lines: [Substring] = []
      try waitUntil("400 lines are written") {
        lines = counter.process.output.split(separator: "\n")
        lines.removeAll { $0.contains("\"GET /health HTTP/1.1\"") }
        return lines.count >= 400
      }
      for (number, path) in paths.enumerated() {
        let status = number % 3 == 2 ? 404 : 200
        #expect(
          lines.count { $0.contains("\"GET \(path) HTTP/1.1\" \(status) ") } == 1, "\(path)")
      }
      #expect(lines.count == 400)
    }
  }

  @Test("Believes X-Forwarded-For and Forwarded of trusted proxies, and of nobody else")
  func proxies() throws {
    for (trusted, expected) in [("127.0.0.0/8, ::1", "1.2.3.4"), ("10.0.0.0/8", "127.0.0.1")] {
      let flags = ["--access-log", "--trusted-proxies", trusted]
      try withCounterAndRedis(flags) { counter, _ in
        let client = try counter.client()
        _ = try client.request("GET", "/", "X-Forwarded-For: 6.6.6.6, 1.2.3.4")
        _ = try client.request("GET", "/", "Forwarded: for=6.6.6.6, for=\"1.2.3.4:80\"")
        let lines = try waitForLines(3, of: counter).dropFirst()
        #expect(lines.allSatisfy { $0.hasPrefix("\(expected) - - ") }, "\(lines)")
      }
    }
  }

  @Test("Is not written unless asked for")
  func off() throws {
    try withCounterAndRedis { counter, _ in
      _ = try counter.visit()
      counter.send(signal: SIGTERM)
      #expect(try counter.waitForExit() == 0)
      #expect(counter.process.output.isEmpty)
    }
  }

  @Test("Has its last lines written before the program ends")
  func last() throws {
    try withCounterAndRedis(["--access-log"]) { counter, _ in
      for _ in 0..<50 { _ = try counter.visit() }
      counter.send(signal: SIGTERM)
      #expect(try counter.waitForExit() == 0)
      #expect(counter.process.output.split(separator: "\n").count == 51)
    }
  }

  @Test("Into a pipe that nobody reads holds up nobody, and what is lost is counted")
  func unreadPipe() throws {
    try withRedis { redis in
      try withTemporaryFolder { folder in
        let pipe = "\(folder)/pipe"
        #expect(unsafe mkfifo(pipe, 0o600) == 0)
        // Open for reading, so that there is somebody to write to, who never reads.
        let reader = unsafe open(pipe, O_RDWR | O_CLOEXEC)
        defer { close(reader) }
        let metricsPort = try FreePort.take()
        let counter = try CounterProcess(
          ["--redis", redis.url, "--metrics-port", "\(metricsPort)", "--access-log"],
          folder: folder, redirection: "> '\(pipe)'")
        defer { counter.end() }
        try counter.waitUntilReady()
        let client = try counter.client()
        let target = "/?" + String(repeating: "x", count: 8000)
        let began = ContinuousClock.now
        for _ in 0..<600 { #expect(try client.get(target).number != nil) }
        #expect(ContinuousClock.now - began < withSlack(.seconds(30)))
        let scrape = try Scrape(port: metricsPort)
        // Pipe and queues take some 2 MiB of the 4.8 that were logged.
        #expect(scrape["counter_access_log_lines_dropped_total"] ?? 0 > 200)
        counter.send(signal: SIGTERM)
        #expect(try counter.waitForExit(within: .seconds(10)) == 0)
      }
    }
  }
}
