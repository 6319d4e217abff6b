import System
import Glibc

/// When visits come, and at which loop: a Poisson process over all loops together, each visit at
/// one of them with equal chances. So each loop sees a Poisson process of its own.
///
/// They come whether or not earlier ones were answered (open loop), as visitors do.
struct Arrivals {
  private var random: SeededGenerator
  private let loops: Int
  private let meanGap: Double
  private let start: Instant

  /// Nanoseconds from the start to the next visit.
  private var offset = 0.0

  /// The next visit.
  private(set) var next: (moment: Instant, loop: Int)

  init(rate: Double, loops: Int, from start: Instant, seed: UInt64) {
    random = SeededGenerator(seed: seed)
    self.loops = loops
    self.start = start
    meanGap = 1e9 / rate
    next = (start, 0)
    advance()
  }

  /// Goes on to the visit after the next.
  mutating func advance() {
    offset -= log(1 - Double.random(in: 0..<1, using: &random)) * meanGap
    next = (
      start + Interval(nanoseconds: Int64(offset)), Int.random(in: 0..<loops, using: &random)
    )
  }
}

/// Random numbers that are the same in every run (splitmix64, https://prng.di.unimi.it/splitmix64.c).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
