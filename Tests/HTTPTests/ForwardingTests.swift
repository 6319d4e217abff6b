import BasicContainers
import System
import Testing

@testable import HTTP
@testable import HTTPTestSupport

private func address(_ text: String) throws -> NetworkAddress {
  try #require(NetworkAddress(text.utf8), "\(text)")
}

@Suite("A network address")
struct NetworkAddressTests {
  @Test(
    "is read and written as people do",
    arguments: [
      ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("2001:DB8::1", "2001:db8::1"),
      ("::", "::"), ("::ffff:192.0.2.1", "192.0.2.1"), ("fe80:0:0:0:0:0:0:1", "fe80::1"),
    ])
  func texts(_ text: String, _ written: String) throws {
    #expect(try address(text).description == written)
  }

  @Test(
    "is nothing else",
    arguments: [
      "", "localhost", "192.0.2", "192.0.2.256", "192.0.2.1 ", " ::1", "::1%eth0", "192.0.2.1\0",
      "1.2.3.4.5", "0x7f.0.0.1", ":::", String(repeating: "1", count: 200),
    ])
  func malformed(_ text: String) {
    #expect(NetworkAddress(text.utf8) == nil)
  }

  @Test(
    "lies in a network or not",
    arguments: [
      ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false),
      ("10.1.2.3/8", "10.9.9.9", true), ("192.0.2.1", "192.0.2.1", true),
      ("192.0.2.1", "192.0.2.2", false), ("0.0.0.0/0", "8.8.8.8", true),
      ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "2001:db8::1", true),
      ("::/0", "192.0.2.1", true), ("2001:db8::/32", "2001:db8:ffff::1", true),
      ("2001:db8::/32", "2001:db9::1", false), ("::ffff:10.0.0.0/104", "10.1.1.1", true),
      ("10.0.0.0/31", "10.0.0.1", true), ("10.0.0.0/31", "10.0.0.2", false),
    ])
  func networks(_ network: String, _ inside: String, _ expected: Bool) throws {
    #expect(try #require(Network(network)).contains(try address(inside)) == expected)
  }

  @Test(
    "is no network when its prefix is none",
    arguments: [
      "", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/+8", "10.0.0.0/8/8", "a/8",
    ])
  func badNetworks(_ text: String) {
    #expect(Network(text) == nil)
  }
}

@Suite("Where a request came from")
struct ForwardingTests {
  private static let proxy = "10.0.0.1"

  /// What is logged for a request that a peer hands on, when 10.0.0.0/8 and fd00::/8 are trusted.
  private func origin(_ fields: [String], peer: String = proxy) throws -> String {
    var bytes = ByteBuffer()
    for byte in (["GET / HTTP/1.1"] + fields).joined(separator: "\r\n").utf8 { bytes.append(byte) }
    bytes.append("\r\n\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n")
    let trusted = try ["10.0.0.0/8", "fd00::/8"].map { try #require(Network($0)) }
    let proxies = TrustedProxies(networks: trusted)
    return proxies.clientAddress(of: try address(peer), bytes.span).description
  }

  @Test(
    "is the last address that a trusted proxy vouches for",
    arguments: [
      (["X-Forwarded-For: 1.2.3.4"], "1.2.3.4"),
      (["x-forwarded-for:1.2.3.4\t"], "1.2.3.4"),
      (["X-Forwarded-For: 6.6.6.6, 1.2.3.4"], "1.2.3.4"),
      (["X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.9.9.9"], "1.2.3.4"),
      (["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 1.2.3.4, 10.9.9.9"], "1.2.3.4"),
      (["X-Forwarded-For: 10.0.0.3, 10.0.0.2"], "10.0.0.3"),
      (["X-Forwarded-For: 1.2.3.4:5678"], "1.2.3.4"),
      (["X-Forwarded-For: 2001:db8::7"], "2001:db8::7"),
      (["X-Forwarded-For: [2001:db8::7]:80"], "2001:db8::7"),
      (["X-Forwarded-For: junk, 1.2.3.4"], "1.2.3.4"),
      (["X-Forwarded-For: 1.2.3.4,"], "1.2.3.4"),
      (["X-Forwarded-For: 1.2.3.4,, ,10.0.0.2"], "1.2.3.4"),
      (["Forwarded: for=203.0.113.5,,for=10.0.0.2"], "203.0.113.5"),
      (["Forwarded: for=1.2.3.4;x=\", for=203.0.113.5"], "203.0.113.5"),
      (["Forwarded: for=1.2.3.4;x=\"\\, for=203.0.113.5"], "203.0.113.5"),
      (["Forwarded: for=1.2.3.4;x=\"", "Forwarded: for=203.0.113.5"], "203.0.113.5"),
      (["Forwarded: for=1.2.3.4"], "1.2.3.4"),
      (["Forwarded: proto=http; FOR=\"1.2.3.4:99\" ;by=10.0.0.1"], "1.2.3.4"),
      (["Forwarded: for=\"[2001:db8::7]:4711\""], "2001:db8::7"),
      (["Forwarded: for=6.6.6.6;by=\"a,b;for=7.7.7.7\", for=1.2.3.4, for=10.9.9.9"], "1.2.3.4"),
      (["Forwarded: for=1.2.3.4", "X-Forwarded-For: 1.2.3.4"], "1.2.3.4"),
    ])
  func origin(_ fields: [String], _ expected: String) throws {
    #expect(try origin(fields) == expected)
  }

  @Test(
    "is the peer when what it says is no address, or when its two fields contradict each other",
    arguments: [
      [], ["X-Forwarded-For:"], ["X-Forwarded-For: junk"], ["X-Forwarded-For: 1.2.3.4, junk"],
      ["X-Forwarded-For: 1.2.3.4, 999.1.1.1, 10.9.9.9"],
      ["X-Forwarded-For: [1.2.3.4"], ["X-Forwarded-For: 1.2.3.4:port"],
      ["X-Forwarded-For: 1.2.3.4:123456"], ["Forwarded: for=_hidden"], ["Forwarded: for=unknown"],
      ["Forwarded: by=1.2.3.4"], ["Forwarded: 1.2.3.4"], ["Forwarded: for=\"1.2.3.4"],
      ["Forwarded: for=1.2.3.4, for=_hidden"],
      ["Forwarded: for=6.6.6.6", "X-Forwarded-For: 1.2.3.4"],
    ])
  func peer(_ fields: [String]) throws {
    #expect(try origin(fields) == Self.proxy)
  }

  @Test("is the address that a trusted proxy appended, whatever the client wrote before it")
  func clientPrefixes() throws {
    var random = Seeded(7)
    let pieces = [
      "\"", "\\", ",", ";", "=", "for=", "for=6.6.6.6", "6.6.6.6", " ", "\t", "[", "]", ":", "(",
      ")", "x",
      "by=\"", "\\\"", "\\\\", "é", "unknown", String(repeating: "y", count: 600),
    ]
    for _ in 0..<5000 {
      let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        pieces.randomElement(using: &random) ?? ""
      }.joined()
      let other = pieces.randomElement(using: &random) ?? ""
      let pairs = ["Forwarded: \(other)", "Forwarded: \(text), for=\"203.0.113.5:99\";proto=https"]
      #expect(try origin(pairs) == "203.0.113.5", "\(pairs)")
      let addresses = ["X-Forwarded-For: \(other)", "X-Forwarded-For: \(text), 203.0.113.5"]
      #expect(try origin(addresses) == "203.0.113.5", "\(addresses)")
    }
  }

  @Test(
    "costs little more than a field of the same length that is not read",
    arguments: [",", "1", "10.0.0.1,", "\"", "\\", "for=10.0.0.1,", "[", "; "])
  func longFields(_ piece: String) throws {
    let value = String(repeating: piece, count: 16_000 / piece.utf8.count)
    let ignored = try time(["X-Other: \(value)"])
    for name in ["X-Forwarded-For", "Forwarded"] {
      let read = try time(["\(name): \(value)"])
      #expect(read < ignored * 5 + .milliseconds(20), "\(name): \(read), not \(ignored)")
    }
  }

  /// The time that a hundred requests take, the fastest of five runs.
  private func time(_ fields: [String]) throws -> Duration {
    var bytes = ByteBuffer()
    for byte in (["GET / HTTP/1.1"] + fields).joined(separator: "\r\n").utf8 { bytes.append(byte) }
    bytes.append("\r\n\r\n")
    let proxies = TrustedProxies(networks: [try #require(Network("10.0.0.0/8"))])
    let peer = try address(Self.proxy)
    var fastest = Duration.seconds(100)
    for _ in 0..<5 {
      let start = ContinuousClock.now
      for _ in 0..<100 {
        _ = proxies.clientAddress(of: peer, bytes.span)
      }
      fastest = min(fastest, ContinuousClock.now - start)
    }
    return fastest
  }

  @Test("is the peer when nobody trusts it", arguments: ["1.1.1.1", "2001:db8::1", "9.0.0.1"])
  func untrusted(_ peer: String) throws {
    #expect(try origin(["X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4"], peer: peer) == peer)
  }
}
