import BasicContainers

/// An answer, ready but for its date and, if it has one, the number in its text.
public struct Response: ~Copyable, Sendable {
  /// The status line and all fields that never change, up to `Content-Length: `.
  private var head = ByteBuffer()
  private var beforeNumber = ByteBuffer()
  private var afterNumber = ByteBuffer()

  /// A header field that is the same in every answer of this kind.
  public typealias Field = (name: StaticString, value: StaticString)

  /// Prepares an answer.
  ///
  /// - Parameters:
  ///   - fields: beside Content-Length, Date and Connection, which are always seen to.
  ///   - body: the text, or the text before the number.
  ///   - afterNumber: the text after the number.
  public init(
    _ status: Status, _ fields: [Field], body: StaticString = "", afterNumber: StaticString = ""
  ) {
    head.append("HTTP/1.1 ")
    head.append(decimal: Int64(status.rawValue))
    head.append(" ")
    head.append(status.phrase)
    for field in fields {
      head.append("\r\n")
      head.append(field.name)
      head.append(": ")
      head.append(field.value)
    }
    head.append("\r\nContent-Length: ")
    beforeNumber.append(body)
    self.afterNumber.append(afterNumber)
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
    let width = number.map(Decimal.width) ?? 0
    output.append(copying: head.span)
    output.append(decimal: Int64(beforeNumber.count + width + afterNumber.count))
    output.append(copying: date.line.span)
    switch persistence {
    case .implied: output.append("\r\n\r\n")
    case .keepAlive: output.append("\r\nConnection: keep-alive\r\n\r\n")
    case .close: output.append("\r\nConnection: close\r\n\r\n")
    }
    guard withBody else { return }
    output.append(copying: beforeNumber.span)
    if let number { output.append(decimal: number) }
    output.append(copying: afterNumber.span)
  }

  /// An answer in plain text.
  public static func text(
    _ status: Status, _ body: StaticString, _ fields: [Field] = []
  ) -> Response {
    Response(status, [("Content-Type", "text/plain; charset=utf-8")] + fields, body: body)
  }
}
