import BasicContainers
import HTTP

/// The parameters of a request for a counter. Others are ignored.
struct QueryParameters {
  /// The values of `key`, percent-encoded: ranges of the request.
  private(set) var keys: [Range<Int>] = []
  private(set) var callback: String?
  private(set) var amount: String?
  private(set) var value: String?
  private(set) var cursor: String?

  /// How many keys a request may have: as many as a batch has operations.
  static var mostKeys: Int { 128 }

  init() {}

  /// - Parameter query: what stands behind the question mark.
  init(_ query: Range<Int>, of bytes: Span<UInt8>) throws(Problem) {
    var start = query.lowerBound
    while let parameter = Parameter(query, from: &start, of: bytes) {
      try readParameter(parameter, of: bytes)
    }
  }

  /// A parameter as it stands in the query: the ranges of its name and of its value.
  private struct Parameter {
    let name: Range<Int>
    let value: Range<Int>

    /// - Parameter start: where the parameter begins; becomes where the next one does.
    /// - Returns: nil at the end of the query.
    init?(_ query: Range<Int>, from start: inout Int, of bytes: Span<UInt8>) {
      guard start < query.upperBound else { return nil }
      var end = start
      while end < query.upperBound, bytes[end] != UInt8(ascii: "&") { end += 1 }
      let equals = (start..<end).first { bytes[$0] == UInt8(ascii: "=") } ?? end
      name = start..<equals
      value = min(equals + 1, end)..<end
      start = end + 1
    }
  }

  private mutating func readParameter(
    _ parameter: Parameter, of bytes: Span<UInt8>
  ) throws(Problem) {
    let value = parameter.value
    switch try Self.text(parameter.name, of: bytes) {
    case "key":
      guard keys.count < Self.mostKeys else { throw .tooManyKeys }
      keys.append(value)
    case "callback": try Self.set(&callback, value, of: bytes)
    case "by": try Self.set(&amount, value, of: bytes)
    case "value": try Self.set(&self.value, value, of: bytes)
    case "cursor": try Self.set(&cursor, value, of: bytes)
    default: break
    }
  }

  private static func set(
    _ parameter: inout String?, _ value: Range<Int>, of bytes: Span<UInt8>
  ) throws(Problem) {
    guard parameter == nil else { throw .repeatedParameter }
    parameter = try text(value, of: bytes)
  }

  private static func text(_ range: Range<Int>, of bytes: Span<UInt8>) throws(Problem) -> String {
    var decoded = UniqueArray<UInt8>()
    guard decoded.append(decoding: range, of: bytes, .query) else { throw .malformedQuery }
    // Sound: the string copies the bytes.
    return unsafe decoded.span.withUnsafeBufferPointer {
      unsafe String(decoding: $0, as: UTF8.self)
    }
  }

  /// The callback of a request, also when another part of the request is wrong; nil unless it has one,
  /// and a valid one.
  static func callback(_ query: Range<Int>, of bytes: Span<UInt8>) -> String? {
    var callback: String?
    var start = query.lowerBound
    while let parameter = Parameter(query, from: &start, of: bytes) {
      guard (try? text(parameter.name, of: bytes)) == "callback" else { continue }
      guard callback == nil, let text = try? text(parameter.value, of: bytes), isCallback(text)
      else { return nil }
      callback = text
    }
    return callback
  }

  /// An integer in decimal digits, with a minus sign before a negative one.
  static func integer(_ text: String) -> Int64? {
    guard !text.hasPrefix("+") else { return nil }
    return Int64(text)
  }

  /// The name of a function that a script is handed to; letters, digits, `_`, `$` and dots, so that it
  /// cannot be a script of its own.
  static func isCallback(_ text: String) -> Bool {
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
