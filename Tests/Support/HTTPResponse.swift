import Foundation

/// One answer of the counter as it stood on the wire.
struct HTTPResponse {
  let statusLine: String
  let fields: [(name: String, value: String)]
  let body: String

  /// The status code; 0 when the status line holds none.
  var status: Int {
    let words = statusLine.split(separator: " ", maxSplits: 2)
    return words.count > 1 ? Int(words[1]) ?? 0 : 0
  }

  /// A field's value, nil when it is missing; more than one field of a name are joined.
  subscript(_ name: String) -> String? {
    let values = fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    return values.isEmpty ? nil : values.joined(separator: ", ")
  }

  /// The number that a visit was told, nil when this is no such answer to the byte.
  var number: Int64? {
    let before = "Hello World! I have been seen "
    let after = " times.\n"
    guard status == 200, body.hasPrefix(before), body.hasSuffix(after) else { return nil }
    return Int64(body.dropFirst(before.count).dropLast(after.count))
  }

  /// Whether the counter closes the connection after this answer.
  var closes: Bool { self["Connection"]?.lowercased() == "close" }
}
