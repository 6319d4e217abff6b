import Telemetry
import BasicContainers
import Glibc
import Synchronization
import System
import Testing

@testable import AccessLog

@Suite("A line writer")
struct LineWriterTests {
  private func line(_ text: String) -> UniqueArray<UInt8> {
    var bytes = UniqueArray<UInt8>()
    for byte in text.utf8 { bytes.append(byte) }
    return bytes
  }

  /// A pipe of the test's own.
  private func makePipe() -> (reader: CInt, end: CInt) {
    var ends: [CInt] = [-1, -1]
    #expect(unsafe pipe(&ends) == 0)
    return (ends[0], ends[1])
  }

  @Test("writes everything, in order, by the time it is finished")
  func order() throws {
    let (reader, end) = makePipe()
    let writer = try LineWriter(to: end)
    var expected = ""
    for number in 0..<500 {
      var bytes = line("line \(number)\n")
      writer.write(&bytes, lines: 1)
      #expect(bytes.count == 0)
      expected += "line \(number)\n"
    }
    try writer.finish(by: .now + .seconds(10))
    close(end)
    var received: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe read(reader, &part, part.count)
      guard count > 0 else { break }
      received += part[..<count]
    }
    close(reader)
    #expect(String(decoding: received, as: UTF8.self) == expected)
    #expect(writer.dropped.current == 0)
  }

  @Test("drops and counts what a reader who does not read leaves no room for, and never waits")
  func stuck() throws {
    // What is left of a line when the reader goes must not end the tests.
    Signals.ignoreBrokenPipes()
    let (reader, end) = makePipe()
    let writer = try LineWriter(to: end, capacity: 1 << 16)
    let began = Instant.now
    let text = String(repeating: "x", count: 999) + "\n"
    for _ in 0..<1000 {
      var bytes = line(text)
      writer.write(&bytes, lines: 1)
    }
    // The pipe, the queue and the lines being written have room for 64 KiB each.
    #expect(writer.dropped.current >= 1000 - 3 * 66)
    #expect(writer.dropped.current < 1000)
    try writer.finish(by: .now + .milliseconds(100))
    #expect(Instant.now - began < .seconds(5))
    close(reader)
  }

  @Test("counts what nobody can read any more")
  func broken() throws {
    let (reader, end) = makePipe()
    Signals.ignoreBrokenPipes()
    close(reader)
    let writer = try LineWriter(to: end)
    var bytes = line("a\nb\n")
    writer.write(&bytes, lines: 2)
    try writer.finish(by: .now + .seconds(10))
    #expect(writer.dropped.current == 2)
    close(end)
  }
}

extension LineWriter {
  /// Ends the thread, and waits until everything is written, but no longer than until a deadline.
  func finish(by deadline: Instant) throws {
    let ended = try Wakeup()
    end(ringing: ended)
    _ = try waitForEvent(.read, on: ended.descriptor, until: deadline)
  }
}
