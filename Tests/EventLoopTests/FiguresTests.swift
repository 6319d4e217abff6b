import BasicContainers
import Glibc
import Synchronization
import Testing

@testable import EventLoop

@Suite("A histogram")
struct HistogramTests {
  private func counts(_ histogram: borrowing Histogram) -> [UInt64] {
    let reading = histogram.reading
    return reading.buckets.map(\.count) + [reading.count]
  }

  @Test(
    "puts a value into the first bucket whose bound is no less",
    arguments: [
      (0, [1, 1, 1, 1]), (1, [1, 1, 1, 1]), (4, [1, 1, 1, 1]), (5, [0, 1, 1, 1]),
      (8, [0, 1, 1, 1]),
      (9, [0, 0, 1, 1]), (16, [0, 0, 1, 1]), (17, [0, 0, 0, 1]), (.max, [0, 0, 0, 1]),
    ] as [(Int64, [UInt64])])
  func buckets(_ value: Int64, _ expected: [UInt64]) {
    let histogram = Histogram(exponents: 2...4)
    histogram.record(value)
    #expect(counts(histogram) == expected)
    #expect(histogram.reading.buckets.map(\.bound) == [4, 8, 16])
    #expect(histogram.reading.sum == UInt64(value))
  }

  @Test("adds several values of one size, and the values of another histogram")
  func sums() {
    let one = Histogram(exponents: 0...3)
    let other = Histogram(exponents: 0...3)
    one.record(3, times: 5)
    other.record(1)
    other.record(9)
    var reading = one.reading
    reading += other.reading
    #expect(reading.buckets.map(\.count) == [1, 1, 6, 6])
    #expect(reading.count == 7)
    #expect(reading.sum == 25)
  }
}

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
    writer.finish(by: .now + .seconds(10))
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
    writer.finish(by: .now + .milliseconds(100))
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
    writer.finish(by: .now + .seconds(10))
    #expect(writer.dropped.current == 2)
    close(end)
  }
}
