public import BasicContainers

/// How many values of which size there were, by powers of two: the bucket of a value is found by
/// counting its leading zeros. One thread writes it, and every thread may read it.
public struct Histogram: ~Copyable, Sendable {
  /// How many values lie in each bucket; the last is for what is above all bounds.
  @usableFromInline let counts: UniqueArray<RelaxedCounter>
  @usableFromInline let sum = RelaxedCounter()
  @usableFromInline let smallest: Int64

  /// Buckets whose upper bounds are the powers of two with these exponents.
  public init(exponents: ClosedRange<Int>) {
    precondition(exponents.lowerBound >= 0 && exponents.upperBound < 63)
    var counts = UniqueArray<RelaxedCounter>()
    for _ in 0..<exponents.count + 1 { counts.append(RelaxedCounter()) }
    self.counts = counts
    smallest = Int64(exponents.lowerBound)
  }

  /// Adds a value, or several of the same size. A bound belongs to the bucket below it.
  @inlinable @inline(__always)
  public func record(_ value: Int64, times: Int = 1) {
    // As many bits as the largest value of a bucket has, when each is made smaller by one.
    let bits = 64 &- ((max(value, 1) &- 1) &>> smallest).leadingZeroBitCount
    counts[min(bits, counts.count &- 1)].add(times)
    sum.add(Int(truncatingIfNeeded: value) &* times)
  }

  /// What a histogram, or several together, have come to.
  public struct Reading: Sendable {
    private var counts: [UInt64]
    private let smallest: Int64

    /// The sum of all values.
    public private(set) var sum: UInt64

    /// How many values there were, those above all bounds among them.
    public var count: UInt64 { counts.reduce(0, &+) }

    /// The upper bound of each bucket, and how many values lie under it: in this bucket and all
    /// before it.
    public var buckets: [(bound: UInt64, count: UInt64)] {
      var count: UInt64 = 0
      return counts.dropLast().enumerated().map { index, values in
        count &+= values
        return (1 << (smallest + Int64(index)), count)
      }
    }

    fileprivate init(_ histogram: borrowing Histogram) {
      smallest = histogram.smallest
      // The sum before the counts: it is the one that may be behind.
      sum = histogram.sum.current
      counts = []
      for index in 0..<histogram.counts.count { counts.append(histogram.counts[index].current) }
    }

    /// Adds the reading of another histogram with the same bounds. Sums and counts wrap around.
    public static func += (left: inout Self, right: Self) {
      precondition(
        left.smallest == right.smallest && left.counts.count == right.counts.count,
        "the bounds differ")
      for index in left.counts.indices { left.counts[index] &+= right.counts[index] }
      left.sum &+= right.sum
    }
  }

  /// What it has come to.
  public var reading: Reading { Reading(self) }
}
