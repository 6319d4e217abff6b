import BasicContainers
import HTTP
import System

/// The parameters of a request for a counter: ranges of the request, percent-encoded; nil for a parameter that
/// it lacks. Other parameters are ignored.
struct QueryParameters {
  /// The first value of `key`.
  private(set) var key: Range<Int>?
  private(set) var keyCount = 0
  private(set) var callback: Range<Int>?
  private(set) var amount: Range<Int>?
  private(set) var value: Range<Int>?
  private(set) var cursor: Range<Int>?

  /// How many keys a request may have: as many as a batch has operations.
  static var mostKeys: Int { 128 }

  init() {}

  /// - Parameter query: what stands behind the question mark.
  init(_ query: Range<Int>, of bytes: Span<UInt8>) throws(Problem) {
    try Self.forEach(query, of: bytes) { name, value throws(Problem) in
      switch try Self.text(name, of: bytes) {
      case "key":
        guard keyCount < Self.mostKeys else { throw .tooManyKeys }
        keyCount += 1
        key = key ?? value
      case "callback": try Self.set(&callback, value, of: bytes)
      case "by": try Self.set(&amount, value, of: bytes)
      case "value": try Self.set(&self.value, value, of: bytes)
      case "cursor": try Self.set(&cursor, value, of: bytes)
      default: break
      }
    }
  }

  /// Checks the callback, if there is one.
  @inline(__always)
  func checkCallback(in bytes: Span<UInt8>) throws(Problem) {
    guard let callback else { return }
    guard Self.isCallback(try Self.text(callback, of: bytes)) else { throw .malformedCallback }
  }

  private static func set(
    _ parameter: inout Range<Int>?, _ value: Range<Int>, of bytes: Span<UInt8>
  ) throws(Problem) {
    guard parameter == nil else { throw .repeatedParameter }
    _ = try text(value, of: bytes)
    parameter = value
  }

  /// Calls a function with the name and the value of each parameter.
  static func forEach(
    _ query: Range<Int>, of bytes: Span<UInt8>,
    _ body: (Range<Int>, Range<Int>) throws(Problem) -> Void
  ) throws(Problem) {
    var start = query.lowerBound
    while start < query.upperBound {
      var end = start
      while end < query.upperBound, bytes[end] != UInt8(ascii: "&") { end += 1 }
      let equals = (start..<end).first { bytes[$0] == UInt8(ascii: "=") } ?? end
      try body(start..<equals, min(equals + 1, end)..<end)
      start = end + 1
    }
  }

  /// All values of `key` in a query.
  static func keys(_ query: Range<Int>, of bytes: Span<UInt8>) throws(Problem) -> [Range<Int>] {
    var keys: [Range<Int>] = []
    try forEach(query, of: bytes) { name, value throws(Problem) in
      if try text(name, of: bytes) == "key" { keys.append(value) }
    }
    return keys
  }

  /// The callback of a request, also when another part of the request is wrong; nil if it has no valid one.
  static func callback(_ query: Range<Int>, of bytes: Span<UInt8>) -> String? {
    var callback: String?
    var count = 0
    try? forEach(query, of: bytes) { name, value throws(Problem) in
      guard (try? text(name, of: bytes)) == "callback" else { return }
      count += 1
      callback = try? text(value, of: bytes)
    }
    return callback.flatMap { count == 1 && isCallback($0) ? $0 : nil }
  }

  /// The text that a range stands for.
  static func text(_ range: Range<Int>, of bytes: Span<UInt8>) throws(Problem) -> String {
    var decoded = UniqueArray<UInt8>(minimumCapacity: range.count)
    guard decoded.append(decoding: range, of: bytes, .query) else { throw .malformedQuery }
    return String(copying: decoded.span)
  }

  /// An integer in decimal digits, with a minus sign before a negative one; nil if it is none of 64 bits.
  static func integer<Integer: FixedWidthInteger>(
    _ range: Range<Int>, of bytes: Span<UInt8>
  ) throws(Problem) -> Integer? {
    let text = try text(range, of: bytes)
    return text.hasPrefix("+") ? nil : Integer(text)
  }

  /// The name of a function that a script is handed to; letters, digits, `_`, `$` and dots, so that it
  /// cannot be a script of its own.
  private static func isCallback(_ text: String) -> Bool {
    let isMadeOfNames = text.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x24, 0x2E, 0x5F: true
      default: false
      }
    }
    guard let first = text.utf8.first, isMadeOfNames else { return false }
    return text.utf8.count <= 64 && !(0x30...0x39).contains(first) && first != 0x2E
  }
}
