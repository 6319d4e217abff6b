import Testing

@testable import Telemetry

@Suite("A histogram")
struct HistogramTests {
  private func counts(_ histogram: borrowing Histogram) -> [UInt64] {
    let reading = histogram.reading
    return reading.buckets.map { $0.count } + [reading.count]
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
    #expect(histogram.reading.buckets.map { $0.bound } == [4, 8, 16])
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
    #expect(reading.buckets.map { $0.count } == [1, 1, 6, 6])
    #expect(reading.count == 7)
    #expect(reading.sum == 25)
  }
}
