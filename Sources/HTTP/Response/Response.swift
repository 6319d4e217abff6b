import BasicContainers

/// An answer, ready but for its date and, if it has one, the number in its text.
package struct Response: ~Copyable, Sendable {
  /// The status line and all fields that never change, up to `Content-Length: `.
  private var head = ByteBuffer()
  /// The end of the header, and the text up to the number.
  private var beforeNumber = ByteBuffer()
  private var afterNumber = ByteBuffer()

  /// The status code.
  let code: Int

  private static var endOfHeader: StaticString { "\r\n\r\n" }

  /// How long the text is without the number.
  private let fixedLength: Int

  /// A header field that is the same in every answer of this kind.
  package typealias Field = (name: StaticString, value: StaticString)

  /// Prepares an answer.
  ///
  /// - Parameters:
  ///   - fields: beside Content-Length, Date and Connection, which are always seen to.
  ///   - body: the text, or the text before the number.
  ///   - afterNumber: the text after the number.
  package init(
    _ status: Status, _ fields: [Field], body: StaticString = "", afterNumber: StaticString = ""
  ) {
    self.init(status, fields, bodyLength: body.utf8CodeUnitCount + afterNumber.utf8CodeUnitCount)
    beforeNumber.append(body)
    self.afterNumber.append(afterNumber)
  }

  /// Prepares an answer with a text that was made for it.
  package init(_ status: Status, _ fields: [Field], text: [UInt8]) {
    self.init(status, fields, bodyLength: text.count)
    beforeNumber.append(copying: text.span)
  }

  private init(_ status: Status, _ fields: [Field], bodyLength: Int) {
    code = status.rawValue
    fixedLength = bodyLength
    head.append("HTTP/1.1 ")
    head.append(decimal: Int64(status.rawValue))
    head.append(" ")
    head.append(status.phrase)
    // No browser shall take an answer for something else than it says.
    head.append("\r\nX-Content-Type-Options: nosniff")
    for field in fields {
      head.append("\r\n")
      head.append(field.name)
      head.append(": ")
      head.append(field.value)
    }
    head.append("\r\nContent-Length: ")
    beforeNumber.append(Self.endOfHeader)
  }

  /// What the Connection field says (RFC 9112 section 9.6).
  enum Persistence: Sendable {
    /// Nothing: the connection stays, as HTTP/1.1 has it.
    case implied
    /// That the connection stays, to an HTTP/1.0 client that asked for it.
    case keepAlive
    /// That it is closed after this answer.
    case close
  }

  /// Writes the answer at the end of `output`.
  ///
  /// - Parameters:
  ///   - number: what stands in the middle of the text, if anything does.
  ///   - withBody: false in answer to HEAD; Content-Length is what GET would have got.
  func write(
    to output: inout ByteBuffer, date: borrowing DateField, _ persistence: Persistence,
    number: Int64?, withBody: Bool
  ) {
    output.append(addingCount: longest) { output in
      let width = number.map(Decimal.width) ?? 0
      let length = Int64(fixedLength &+ width)
      output.append(head.span)
      output.append(decimal: length, width: Decimal.width(of: length))
      output.append(date.line.span)
      switch persistence {
      case .implied: break
      case .keepAlive: output.append("\r\nConnection: keep-alive")
      case .close: output.append("\r\nConnection: close")
      }
      guard withBody else {
        output.append(Self.endOfHeader)
        return
      }
      output.append(beforeNumber.span)
      if let number { output.append(decimal: number, width: width) }
      output.append(afterNumber.span)
    }
  }

  /// How many bytes of it follow the number.
  var countAfterNumber: Int { afterNumber.count }

  /// How long the text is.
  func length(with number: Int64?) -> Int { fixedLength + (number.map(Decimal.width) ?? 0) }

  /// No fewer bytes than it can take, with the longest number, Date and Connection.
  private var longest: Int { head.count &+ beforeNumber.count &+ afterNumber.count &+ 128 }

  /// An answer in plain text.
  package static func text(
    _ status: Status, _ body: StaticString, _ fields: [Field] = []
  ) -> Response {
    Response(status, [("Content-Type", "text/plain; charset=utf-8")] + fields, body: body)
  }
}
