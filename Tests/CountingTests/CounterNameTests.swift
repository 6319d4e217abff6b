import Testing

@testable import Counting
@testable import HTTPTestSupport
@testable import TestSupport

@Suite("The name of a counter")
struct CounterNameTests {
  private func error(ofNamespace bytes: [UInt8]) -> NameError? {
    do throws(NameError) {
      try CounterName.checkNamespace(bytes.span)
      return nil
    } catch {
      return error
    }
  }

  private func error(ofKey bytes: [UInt8]) -> NameError? {
    do throws(NameError) {
      try CounterName.checkKey(bytes.span)
      return nil
    } catch {
      return error
    }
  }

  private func error(ofKey text: String) -> NameError? { error(ofKey: Array(text.utf8)) }

  @Test("has a namespace of 1 to 64 bytes and a key of 1 to 128")
  func lengths() {
    let bytes = { (count: Int) in [UInt8](repeating: UInt8(ascii: "a"), count: count) }
    for count in [1, 2, 63, 64] { #expect(error(ofNamespace: bytes(count)) == nil) }
    for count in [0, 65, 128, 1000] {
      #expect(error(ofNamespace: bytes(count)) == .namespaceLength)
    }
    for count in [1, 2, 64, 127, 128] { #expect(error(ofKey: bytes(count)) == nil) }
    for count in [0, 129, 1000] { #expect(error(ofKey: bytes(count)) == .keyLength) }
    // Bytes count, not characters.
    #expect(error(ofKey: String(repeating: "é", count: 64)) == nil)
    #expect(error(ofKey: String(repeating: "é", count: 64) + "a") == .keyLength)
  }

  @Test("has in its namespace no byte but A-Z, a-z, 0-9, '.', '_' and '-'")
  func namespaceCharacters() {
    let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-".utf8)
    for byte in UInt8.min...UInt8.max {
      let expected: NameError? = allowed.contains(byte) ? nil : .namespaceCharacter
      #expect(error(ofNamespace: [byte, UInt8(ascii: "a")]) == expected, "\(byte) at the start")
      #expect(error(ofNamespace: [UInt8(ascii: "a"), byte]) == expected, "\(byte) at the end")
    }
  }

  @Test("is plain when both of its parts follow the rules of both")
  func plain() {
    let names = [
      ".", "..", "...", "a", ".a", "_", "-", "a-b_c.d", String(repeating: "a", count: 64), "",
      String(repeating: "a", count: 65),
    ]
    for name in names {
      let bytes = Array("/\(name)/".utf8)
      let isValid =
        error(ofNamespace: Array(name.utf8)) == nil && error(ofKey: name) == nil
      #expect(CounterName.isPlain(1..<bytes.count - 1, in: bytes.span) == isValid, "\(name)")
    }
  }

  @Test(
    "has no namespace of one or two dots",
    arguments: [
      (".", true), ("..", true), ("...", false), (".a", false), ("a.", false), ("a..b", false),
      ("-", false), ("_", false),
    ])
  func namespaceDots(_ namespace: String, _ isRefused: Bool) {
    #expect(error(ofNamespace: Array(namespace.utf8)) == (isRefused ? .namespaceDots : nil))
  }

  @Test(
    "has no segment of one or two dots in its key",
    arguments: [
      (".", true), ("..", true), ("./a", true), ("../a", true), ("a/.", true), ("a/..", true),
      ("a/./b", true), ("a/../b", true), ("/.", true), ("./", true), ("//../", true),
      ("../é", true),
      ("...", false), ("a/.../b", false), (".a", false), ("a.", false), ("a/.b", false),
      ("a/b./c", false), ("a..", false), ("/", false), ("//", false), ("a/", false), ("/a", false),
      (".\\", false), ("%2e%2e", false), ("․․", false),
    ])
  func keyDots(_ key: String, _ isRefused: Bool) {
    #expect(error(ofKey: key) == (isRefused ? .keyDots : nil))
  }

  @Test("has no control characters in its key, at any place, be they ASCII or not")
  func controlCharacters() {
    for value: UInt32 in 0...0x2FF {
      guard let scalar = UnicodeScalar(value) else { continue }
      let isControl = scalar.properties.generalCategory == .control
      #expect(isControl == (value < 0x20 || (0x7F..<0xA0).contains(value)))
      guard scalar != ".", scalar != "/" else { continue }
      for key in ["\(scalar)", "a\(scalar)", "\(scalar)a", "é\(scalar)b"] {
        #expect(error(ofKey: key) == (isControl ? .keyControlCharacter : nil), "U+\(value)")
      }
    }
  }

  @Test(
    "has a key of UTF-8",
    arguments: [
      // A continuation byte alone, and starts without enough of them.
      [0x80], [0xBF], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xC3, 0x61], [0xE2, 0x82, 0x61],
      [0xF0, 0x9F, 0x98, 0x61], [0xE2, 0x61, 0x82], [0xC3, 0xA9, 0xA9], [0xC3, 0xC3],
      // Longer than need be.
      [0xC0, 0x80], [0xC1, 0xBF], [0xC0, 0xAF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
      [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xE0, 0x80, 0xAE],
      // Surrogates.
      [0xED, 0xA0, 0x80], [0xED, 0xAF, 0xBF], [0xED, 0xBF, 0xBF],
      [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80],
      // Beyond U+10FFFF, and bytes that never occur.
      [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE],
      [0xFF],
    ] as [[UInt8]])
  func encoding(_ bytes: [UInt8]) {
    let a = UInt8(ascii: "a")
    for key in [bytes, [a] + bytes, bytes + [a], [0xC3, 0xA9] + bytes, bytes + [0xC3, 0xA9]] {
      // Bytes of two halves could make a whole.
      guard String(validating: key, as: UTF8.self) == nil else { continue }
      #expect(error(ofKey: key) == .keyEncoding, "\(key)")
    }
    #expect(error(ofKey: bytes) == .keyEncoding)
  }

  @Test(
    "has a key of any other character",
    arguments: [
      " ", "  ", "\u{A0}", "é", "e\u{301}", "\u{301}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}",
      "\u{FEFF}", "\u{FFFD}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}", "👩‍👩‍👧", "{1}:a", "*?[a]",
      "a:b", "a%2Fb", "\\", "\"", "<script>", "\u{2028}",
    ])
  func otherCharacters(_ key: String) {
    #expect(error(ofKey: key) == nil)
  }

  @Test("is told what rule it breaks, in a sentence")
  func rules() {
    let rules = NameError.allCases.map { "\($0.rule)" }
    #expect(Set(rules).count == rules.count)
    for rule in rules { #expect(rule.hasSuffix(".")) }
  }

  @Test("is in the bucket of its slot in a Redis Cluster, modulo 16")
  func buckets() throws {
    // By default the second port is in the range from which the kernel takes ports for connections.
    let flags = ["--cluster-enabled", "yes", "--cluster-port", "\(try FreePort.take())"]
    try withRedis(flags: flags) { redis throws in
      let client = try RESPClient(.unix(redis.socketPath))
      var generator = Seeded(7)
      var buckets: Set<UInt16> = []
      for index in 0..<3000 {
        let count = Int.random(in: 1...(index < 100 ? 193 : 24), using: &generator)
        // Redis takes a part in braces for the key.
        let scalars = (0..<count).map { _ in
          UnicodeScalar(
            UInt32.random(in: 0x20...(index % 3 == 0 ? 0xFFF : 0x7A), using: &generator))
        }
        let name = String(String.UnicodeScalarView(scalars.compactMap(\.self).filter { $0 != "{" }))
        guard case .integer(let slot) = try client.command(["CLUSTER", "KEYSLOT", name]) else {
          Issue.record("no slot")
          return
        }
        let bucket = CounterName.bucket(Array(name.utf8).span)
        #expect(bucket == UInt16(slot % 16), "\(name)")
        buckets.insert(bucket)
        // The key is in the slot of its hash tag, whatever braces the name has.
        if index < 100 {
          let key = counterKey(name + "{x}")
          let tag = "\(CounterName.bucket(Array((name + "{x}").utf8).span))"
          #expect(
            try client.command(["CLUSTER", "KEYSLOT", key])
              == client.command(["CLUSTER", "KEYSLOT", tag]))
        }
      }
      #expect(buckets == Set(0..<16))
    }
  }
}
