import HTTP

/// A generator of numbers that are always the same for the same seed (SplitMix64).
struct Seeded: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) {
    state = seed
  }

  /// Seeds it with a text (FNV-1a).
  init(with bytes: some Sequence<UInt8>) {
    state = bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

extension [UInt8] {
  /// In up to eight pieces.
  func split(by generator: inout Seeded) -> [ArraySlice<UInt8>] {
    let cuts = (0..<Int.random(in: 1...7, using: &generator)).map { _ in
      Int.random(in: 0...count, using: &generator)
    }
    let places = [0] + cuts.sorted() + [count]
    return zip(places, places.dropFirst()).map { self[$0..<$1] }
  }
}

extension Limits {
  /// So small that a short text passes them.
  static var small: Limits {
    var limits = Limits()
    limits.target = 64
    limits.header = 256
    limits.fields = 8
    limits.method = 10
    limits.body = 128
    limits.pipelined = 4
    limits.unsent = 1024
    return limits
  }
}
