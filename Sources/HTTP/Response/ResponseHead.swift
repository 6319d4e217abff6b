import BasicContainers
import System

/// The status line and the constant fields of a response, rendered once.
///
/// A response is written in few runs of bytes: this head up to `Content-Length: `, the length, the
/// Date field with the end of the header, and the body.
package struct ResponseHead: ~Copyable, Sendable {
  /// The status line and all constant fields, up to `Content-Length: `.
  private var bytes = ByteBuffer()

  /// The status code.
  let code: Int

  /// A header field that is the same in every response with this head.
  package typealias Field = (name: StaticString, value: String)

  /// Renders a head.
  ///
  /// - Parameter fields: all but Content-Length, Date and Connection, which the server adds.
  package init(_ status: Status, _ fields: [Field] = []) {
    code = status.rawValue
    bytes.append("HTTP/1.1 ")
    bytes.append(decimal: Int64(status.rawValue))
    bytes.append(" ")
    bytes.append(status.phrase)
    // A browser must not take a response for another type than its Content-Type says.
    bytes.append("\r\nX-Content-Type-Options: nosniff")
    for field in fields {
      bytes.append("\r\n")
      bytes.append(field.name)
      bytes.append(": ")
      bytes.append(copying: Array(field.value.utf8))
    }
    bytes.append(Self.lengthField)
  }

  private static var lengthField: StaticString { "\r\nContent-Length: " }

  /// Renders the head of a response in plain text.
  package static func text(_ status: Status, _ fields: [Field] = []) -> ResponseHead {
    ResponseHead(status, [("Content-Type", "text/plain; charset=utf-8")] + fields)
  }

  /// The meaning of the Connection field (RFC 9112 section 9.6).
  enum Persistence: Sendable {
    /// No field: the connection stays open, as HTTP/1.1 has it.
    case implied
    /// The connection stays open, for an HTTP/1.0 client that asked for it.
    case keepAlive
    /// The connection is closed after this response.
    case close
  }

  /// An upper bound of a response's size.
  func longest(bodyCount: Int) -> Int {
    bytes.count &+ bodyCount &+ (Decimal.longest + DateField.length + 32)
  }

  /// Writes the header of a response.
  ///
  /// - Precondition: there is room for `longest` bytes.
  @inline(__always)
  func write(
    to output: inout OutputSpan<UInt8>, bodyCount: Int, date: borrowing DateField,
    _ persistence: Persistence
  ) {
    output.append(bytes.span)
    output.append(decimal: Int64(bodyCount))
    switch persistence {
    case .implied:
      output.append(date.endOfHeader.span)
    case .keepAlive:
      output.append(date.line)
      output.append("\r\nConnection: keep-alive\r\n\r\n")
    case .close:
      output.append(date.line)
      output.append("\r\nConnection: close\r\n\r\n")
    }
  }

  /// Writes the header of a response that ends with its connection (RFC 9112 section 6.3).
  ///
  /// - Precondition: there is room for `longest` bytes.
  func writeWithoutLength(to output: inout OutputSpan<UInt8>, date: borrowing DateField) {
    output.append(bytes.span.extracting(droppingLast: Self.lengthField.utf8CodeUnitCount))
    output.append(date.line)
    output.append("\r\nConnection: close\r\n\r\n")
  }
}
