import System

/// The content of a response: it knows its size and writes itself. HTTP does not interpret it.
package protocol ResponseBody: ~Copyable {
  /// Its size in bytes.
  var count: Int { get }

  /// Writes as many bytes as `count` says; there is room for them.
  borrowing func write(to output: inout OutputSpan<UInt8>)
}

/// A text that is a constant of the program.
package struct ConstantBody: ResponseBody {
  private let text: StaticString

  package init(_ text: StaticString) {
    self.text = text
  }

  package var count: Int { text.utf8CodeUnitCount }

  package func write(to output: inout OutputSpan<UInt8>) {
    output.append(text)
  }
}

/// A text that was made for one response.
package struct TextBody: ResponseBody {
  private let bytes: [UInt8]

  package init(_ text: String) {
    bytes = Array(text.utf8)
  }

  package var count: Int { bytes.count }

  package func write(to output: inout OutputSpan<UInt8>) {
    output.append(bytes.span)
  }
}
