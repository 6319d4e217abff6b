import HTTP
import Logging
import Redis
import System

// How the values of settings are read. Each function understands the whole text or refuses it.

extension Settings {
  static func parseText(_ text: String) throws(InvalidValue) -> String { text }

  static func parsePath(_ text: String) throws(InvalidValue) -> String {
    guard !text.isEmpty else { throw .because("the path is empty") }
    return text
  }

  static func parseAddress(_ text: String) throws(InvalidValue) -> String {
    guard Listener.isAddress(text) else { throw .expected("an IPv4 or IPv6 address") }
    return text
  }

  static func parsePort(_ text: String) throws(InvalidValue) -> UInt16 {
    guard let number = wholeNumber(text), let port = UInt16(exactly: number) else {
      throw .expected("a port from 0 to 65535")
    }
    return port
  }

  /// Reads the port of a server to connect to, which cannot be 0.
  static func parseRemotePort(_ text: String) throws(InvalidValue) -> UInt16 {
    guard let port = try? parsePort(text), port > 0 else {
      throw .expected("a port from 1 to 65535")
    }
    return port
  }

  static func parseNumber(_ text: String) throws(InvalidValue) -> Int {
    guard let number = wholeNumber(text) else { throw .expected("a number") }
    return number
  }

  static func parseThreads(_ text: String) throws(InvalidValue) -> Int {
    try parseNumber(text, in: 1...1024)
  }

  /// Reads a number of MiB.
  ///
  /// - Returns: the number of bytes.
  static func parseMemoryLimit(_ text: String) throws(InvalidValue) -> Int {
    try parseNumber(text, in: 16...1 << 30) << 20
  }

  private static func parseNumber(
    _ text: String, in range: ClosedRange<Int>
  ) throws(InvalidValue) -> Int {
    guard let number = wholeNumber(text), range.contains(number) else {
      throw .expected("a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  static func parseTimeout(_ text: String) throws(InvalidValue) -> Interval {
    try parseSeconds(text, from: 0.001)
  }

  static func parseDrainTimeout(_ text: String) throws(InvalidValue) -> Interval {
    try parseSeconds(text, from: 0)
  }

  private static func parseSeconds(
    _ text: String, from least: Double
  ) throws(InvalidValue) -> Interval {
    guard let seconds = decimalNumber(text), (least...3600).contains(seconds) else {
      throw .expected("a number of seconds from \(least == 0 ? "0" : "0.001") to 3600")
    }
    return Interval(nanoseconds: Int64(seconds * 1e9))
  }

  static func parseSwitch(_ text: String) throws(InvalidValue) -> Bool {
    switch text {
    case "1", "true", "yes", "on": return true
    case "0", "false", "no", "off": return false
    default: throw .expected("true or false")
    }
  }

  static func parseLogFormat(_ text: String) throws(InvalidValue) -> LogFormat {
    guard let format = LogFormat(rawValue: text) else { throw .expected("text or json") }
    return format
  }

  static func parseLogLevel(_ text: String) throws(InvalidValue) -> Logger.Level {
    guard let level = Logger.Level(rawValue: text) else {
      throw .expected("trace, debug, info, notice, warning, error or critical")
    }
    return level
  }

  /// Reads networks with a comma between two of them, and perhaps spaces around each.
  static func parseNetworks(_ text: String) throws(InvalidValue) -> [Network] {
    var networks: [Network] = []
    for element in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let network = Network(String(element.trimmingSpaces)) else {
        throw .expected(
          "a list of IPv4 or IPv6 addresses or prefixes (10.0.0.0/8) with commas between them")
      }
      networks.append(network)
    }
    return networks
  }

  static func parseRedisURL(_ text: String) throws(InvalidValue) -> RedisAddress {
    do {
      return try RedisAddress(text)
    } catch {
      throw .because(error.reason)
    }
  }

  /// Reads a host without a port: a name, or a numeric address.
  static func parseRemoteHost(_ text: String) throws(InvalidValue) -> String {
    let isName = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard !text.isEmpty, isName || Resolver.isNumeric(text) else {
      throw .expected("a host name or an address")
    }
    return text
  }

  /// The number that a text of decimal digits and nothing else stands for.
  private static func wholeNumber(_ text: String) -> Int? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
  }

  /// The number that a text of decimal digits and at most one point stands for.
  private static func decimalNumber(_ text: String) -> Double? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E } ? Double(text) : nil
  }
}

extension Substring {
  fileprivate var trimmingSpaces: Substring {
    var rest = drop { $0 == " " }
    while rest.last == " " { rest.removeLast() }
    return rest
  }
}
