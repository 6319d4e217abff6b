import Testing

@testable import TestSupport

/// A request, byte for byte, and the status it deserves.
struct Refusal: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let status: Int
  let request: String

  init(_ description: String, _ status: Int, _ request: String) {
    testDescription = description
    self.status = status
    self.request = request
  }

  /// A visit whose field lines are these besides Host.
  init(_ description: String, _ status: Int, fields: String..., body: String = "") {
    let lines = ["GET / HTTP/1.1", "Host: x"] + fields
    self.init(description, status, lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
  }
}
