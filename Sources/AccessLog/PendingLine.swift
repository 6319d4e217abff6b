import BasicContainers
import HTTP
import System

/// A line but for status and size, which are known with the response.
struct PendingLine: ~Copyable {
  /// Empty when there was no room to keep it.
  private(set) var text = UniqueArray<UInt8>()

  /// The place in the text where status and size belong.
  private(set) var afterStatus = 0

  /// Whether it was handed out, while a line before it still waits for its response.
  var isTaken = false

  /// The storage that it takes, in bytes.
  var size: Int { text.capacity + MemoryLayout<PendingLine>.stride }

  /// A line that could not be kept.
  init() {}

  /// - Parameter time: of the request, as the format wants it.
  init(
    _ format: AccessLog.Format, _ request: LoggedRequest, _ header: Span<UInt8>,
    _ client: NetworkAddress, _ time: Span<UInt8>
  ) {
    // Room for everything, unless much of it has to be escaped.
    text.reserveCapacity(192 + request.size)
    switch format {
    case .combined:
      text.append(client.description)
      text.append(" - - [")
      text.append(copying: time)
      text.append("] \"")
      text.append(escaped: request.requestLine, of: header)
      text.append("\" ")
      afterStatus = text.count
      text.append(" \"")
      text.append(escaped: request.referer, of: header)
      text.append("\" \"")
      text.append(escaped: request.userAgent, of: header)
      text.append("\"\n")
    case .json:
      text.append("{\"time\":\"")
      text.append(copying: time)
      text.append("\",\"client\":\"")
      text.append(client.description)
      text.append("\",\"request\":\"")
      text.append(escaped: request.requestLine, of: header, inJSON: true)
      text.append("\",\"status\":")
      afterStatus = text.count
      text.append(",\"referer\":\"")
      text.append(escaped: request.referer, of: header, inJSON: true)
      text.append("\",\"user_agent\":\"")
      text.append(escaped: request.userAgent, of: header, inJSON: true)
      text.append("\"}\n")
    }
  }
}

/// The parts of a header that a line shows, as ranges.
struct LoggedRequest {
  let requestLine: Range<Int>
  private(set) var referer = 0..<0
  private(set) var userAgent = 0..<0

  init(_ header: Span<UInt8>) {
    var lines = HeaderLines(header)
    requestLine = lines.requestLine
    while let field = lines.next() {
      if header.spells("referer", field.name) { referer = field.value }
      if header.spells("user-agent", field.name) { userAgent = field.value }
    }
  }

  /// The number of bytes that they have.
  var size: Int { requestLine.count + referer.count + userAgent.count }
}

extension UniqueArray<UInt8> {
  mutating func append(_ text: String) {
    for byte in text.utf8 { append(byte) }
  }

  /// Adds what a client sent, with everything as `\xHH` that is not visible ASCII, or could end the
  /// text it stands in; nothing at all is `-`.
  ///
  /// - Parameter inJSON: the backslash itself has to be escaped there.
  fileprivate mutating func append(
    escaped range: Range<Int>, of bytes: Span<UInt8>, inJSON: Bool = false
  ) {
    guard !range.isEmpty else { return append("-") }
    // Plain bytes, up to the next that is none, are copied together.
    var start = range.lowerBound
    for index in range where !bytes[index].isPlain {
      append(copying: bytes.extracting(start..<index))
      append(inJSON ? "\\\\x" : "\\x")
      append(hexadecimal: bytes[index] >> 4)
      append(hexadecimal: bytes[index] & 15)
      start = index + 1
    }
    append(copying: bytes.extracting(start..<range.upperBound))
  }

  private mutating func append(hexadecimal digit: UInt8) {
    append(digit < 10 ? 0x30 + digit : 0x37 + digit)
  }
}

extension UInt8 {
  /// Whether it may stand in a log line as it is: visible ASCII or a space, but neither a quotation
  /// mark nor a backslash.
  fileprivate var isPlain: Bool { self >= 0x20 && self < 0x7F && self != 0x22 && self != 0x5C }
}
