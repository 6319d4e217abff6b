import AccessLog
import BasicContainers
import System
import Telemetry
import Glibc
import Testing

@testable import HTTP

@Suite("The access log's memory")
struct AccessLogTests {
  @Test("has a bound for each client, and what is beyond it counts as dropped")
  func bound() throws {
    let null = unsafe open("/dev/null", O_WRONLY)
    defer { close(null) }
    let writer = try LineWriter(to: null)
    var log = AccessLog(.combined, trustedProxies: [], to: writer)
    log.beginRound(.now)
    log.open(0, nil)
    var request = ByteBuffer()
    request.append("GET /")
    for _ in 0..<1000 { request.append(0x78) }
    request.append(" HTTP/1.1\r\n\r\n")
    // What a pipeline may hold while Redis does not answer.
    for _ in 0..<1024 { log.note(0, request, from: 0) }
    for sequence in 0..<1024 { log.answer(0, UInt32(sequence), 200, size: 39) }
    log.flush()
    try writer.finish(by: .now + .seconds(10))
    let kept = 1024 - writer.dropped.current
    #expect(kept > 200 && kept < 270, "256 KiB of some 1,050 bytes each, not \(kept)")

    log.note(0, request, from: 0)
    log.answer(0, 1024, 200, size: 39)
    #expect(writer.dropped.current == 1024 - kept, "there is room again")
  }

  @Test(
    "has the time as the format wants it",
    arguments: [
      (.combined, "06/Nov/1994:08:49:37 +0000"), (.json, "1994-11-06T08:49:37Z"),
    ] as [(AccessLog.Format, String)])
  func time(_ format: AccessLog.Format, _ expected: String) {
    var time = AccessTime()
    time.write(784_111_777, format)
    #expect(String(decoding: Array(copying: time.text), as: UTF8.self) == expected)
  }
}

extension LineWriter {
  /// Ends the thread, and waits until everything is written, but no longer than until a deadline.
  fileprivate func finish(by deadline: Instant) throws {
    let ended = try Wakeup()
    end(ringing: ended)
    _ = try waitForEvent(.read, on: ended.descriptor, until: deadline)
  }
}
