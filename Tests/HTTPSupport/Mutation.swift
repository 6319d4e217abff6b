/// Small damage to a text, as an attacker does it.
extension [UInt8] {
  /// Another text: some bytes of this one changed, left out, put in, repeated, or replaced with some
  /// of `other`.
  func mutated(with other: [UInt8], by generator: inout Seeded) -> [UInt8] {
    var mutated = self
    for _ in 0..<Int.random(in: 1...3, using: &generator) where !mutated.isEmpty {
      let start = Int.random(in: mutated.indices, using: &generator)
      let end = Swift.min(mutated.count, start + Int.random(in: 1...8, using: &generator))
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: mutated[start] = Self.telling.randomElement(using: &generator) ?? 0
      case 1: mutated[start] = UInt8.random(in: 0...255, using: &generator)
      case 2: mutated.removeSubrange(start..<end)
      case 3: mutated.insert(Self.telling.randomElement(using: &generator) ?? 0, at: start)
      case 4: mutated.insert(contentsOf: mutated[start..<end], at: start)
      default:
        let from = Int.random(in: 0...Swift.max(0, other.count - 1), using: &generator)
        mutated.replaceSubrange(start..<end, with: other[from...].prefix(end - start))
      }
    }
    return mutated
  }

  /// The bytes that mean something to a parser.
  private static let telling: [UInt8] =
    Array("\r\n\t :;,/%#?*\"0159afAFgzHT\0\u{B}\u{7F}".utf8) + [0x85, 0xA0, 0xFF]
}
