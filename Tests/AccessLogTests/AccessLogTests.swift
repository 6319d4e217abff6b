import BasicContainers
import Glibc
import HTTP
import System
import Telemetry
import Testing

@testable import AccessLog

@Suite("The access log's memory")
struct AccessLogTests {
  @Test("has a bound for each client, and lines beyond it count as dropped")
  func bound() throws {
    let null = unsafe open("/dev/null", O_WRONLY)
    defer { close(null) }
    let writer = try LineWriter(to: null)
    let log = AccessLog(.combined, to: writer, capacity: 1 << 20)
    log.beginRound(.now)
    let client = try #require(NetworkAddress("192.0.2.1".utf8))
    let request = Array("GET /\(String(repeating: "x", count: 1000)) HTTP/1.1\r\n\r\n".utf8)
    // What a pipeline may hold while Redis does not answer.
    for place in 0..<1024 {
      log.requestParsed(.made(place: place), header: request.span, client: client)
    }
    for place in 0..<1024 { log.responseWritten(.made(place: place), code: 200, bodyCount: 39) }
    log.endRound()
    try writer.finish(by: .now + .seconds(10))
    let kept = 1024 - writer.dropped.current
    #expect(kept > 150 && kept < 270, "256 KiB of some 1,300 bytes each, not \(kept)")

    log.requestParsed(.made(place: 1024), header: request.span, client: client)
    log.responseWritten(.made(place: 1024), code: 200, bodyCount: 39)
    #expect(writer.dropped.current == 1024 - kept, "there is room again")
  }

  @Test("has a bound for all clients together")
  func sharedBound() throws {
    let null = unsafe open("/dev/null", O_WRONLY)
    defer { close(null) }
    let writer = try LineWriter(to: null)
    let log = AccessLog(.json, to: writer, capacity: 100_000)
    log.beginRound(.now)
    let client = try #require(NetworkAddress("192.0.2.1".utf8))
    // Each byte of the field becomes five in a line of JSON.
    let field = [UInt8](repeating: 0x80, count: 2000)
    let request = Array("GET / HTTP/1.1\r\nUser-Agent: ".utf8) + field + Array("\r\n\r\n".utf8)
    for slot in 0..<100 {
      log.requestParsed(.made(slot: slot, place: 0), header: request.span, client: client)
    }
    for slot in 0..<100 {
      log.responseWritten(.made(slot: slot, place: 0), code: 200, bodyCount: 1)
    }
    log.endRound()
    try writer.finish(by: .now + .seconds(10))
    let kept = 100 - writer.dropped.current
    #expect(kept > 4 && kept <= 11, "100,000 bytes of some 10,100 each, and one more, not \(kept)")
  }

  @Test("forgets a connection whose requests were all reported, and begins with the next anywhere")
  func reuse() throws {
    var ends: [CInt] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    let writer = try LineWriter(to: ends[1])
    let log = AccessLog(.combined, to: writer, capacity: 1 << 20)
    log.beginRound(.now)
    let client = try #require(NetworkAddress("192.0.2.1".utf8))
    for (place, target) in [(7, "/a"), (8, "/b"), (0, "/c")] {
      let header = Array("GET \(target) HTTP/1.1\r\n\r\n".utf8)
      log.requestParsed(.made(place: place), header: header.span, client: client)
      // The second report is of a client that has left; the response of its request was written.
      log.responseWritten(.made(place: place), code: place == 8 ? nil : 200, bodyCount: 0)
      log.responseWritten(.made(place: place), code: nil, bodyCount: 0)
    }
    log.endRound()
    try writer.finish(by: .now + .seconds(10))
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe read(ends[0], &bytes, bytes.count)
    let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
    #expect(
      lines.map { $0.split(separator: "\"")[1] } == [
        "GET /a HTTP/1.1", "GET /b HTTP/1.1", "GET /c HTTP/1.1",
      ])
    #expect(lines.map { $0.split(separator: "\"")[2] } == [" 200 0 ", " 499 0 ", " 200 0 "])
  }

  @Test(
    "has the time as the format wants it",
    arguments: [
      (.combined, "06/Nov/1994:08:49:37 +0000"), (.json, "1994-11-06T08:49:37Z"),
    ] as [(AccessLog.Format, String)])
  func time(_ format: AccessLog.Format, _ expected: String) {
    var time = AccessTime()
    time.write(784_111_777, format)
    #expect(
      String(decoding: time.text.span.indices.map { time.text[$0] }, as: UTF8.self) == expected)
  }
}

extension Exchange {
  /// A request at a place among those of a connection.
  fileprivate static func made(slot: Int = 0, place: Int) -> Exchange {
    Exchange(ticket: UInt128(place) << 64 | UInt128(slot) << 32)
  }
}
