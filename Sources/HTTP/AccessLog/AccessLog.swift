package import AccessLog
import BasicContainers
import System

/// A line for each request, in the combined format of Apache and nginx or as JSON.
///
/// A request is noted when its header was read, because the bytes are gone when it is answered, and
/// its line is written with its answer. A request whose client went away first gets the status 499,
/// as nginx has it.
package struct AccessLog: ~Copyable {
  private let format: Format
  private let trustedProxies: [Network]
  private let writer: LineWriter
  private var clients = UniqueArray<Client>()
  private var time = AccessTime()

  /// Lines that were not handed to the writer yet.
  private var lines = ByteBuffer()
  private var lineCount = 0

  /// How a line looks.
  package enum Format: Sendable {
    /// `address - - [time] "request" status size "referer" "user agent"`.
    case combined
    /// A JSON object.
    case json
  }

  private static var clientLeft: Int { 499 }

  /// So many bytes are handed to the writer at once, at least.
  private static var full: Int { 1 << 16 }

  /// - Parameter trustedProxies: whose word on where a request came from is taken.
  package init(_ format: Format, trustedProxies: [Network], to writer: LineWriter) {
    self.format = format
    self.trustedProxies = trustedProxies
    self.writer = writer
  }

  mutating func beginRound(_ now: Instant) {
    time.refresh(now, format)
  }

  /// A client took a slot.
  mutating func open(_ slot: Int, _ peer: NetworkAddress?) {
    while clients.count <= slot { clients.append(Client()) }
    var address = ByteBuffer()
    if let peer { address.append(peer) } else { address.append("-") }
    clients[slot] = Client(peer: peer, address: address)
  }

  /// Notes the next request of a client.
  ///
  /// - Parameter bytes: what came of its header from `start` on, understood or not.
  mutating func note(_ slot: Int, _ bytes: borrowing ByteBuffer, from start: Int) {
    let fields = LoggedFields(bytes.span, from: start)
    var text = ByteBuffer()
    var afterStatus = 0
    if clients[slot].kept <= Client.mostKept {
      // Room for everything, unless much of it has to be escaped.
      text.reserveCapacity(192 + fields.size)
      afterStatus = write(fields, bytes, slot, to: &text)
    }
    clients[slot].append(Note(text: text, afterStatus: afterStatus))
  }

  /// Writes the line of a request that is answered.
  ///
  /// - Parameters:
  ///   - sequence: its place among the client's requests.
  ///   - size: how many bytes the answer's content has.
  mutating func answer(_ slot: Int, _ sequence: UInt32, _ status: Int, size: Int) {
    guard let note = clients[slot].take(sequence) else { return }
    writeLine(note, status, size: size)
  }

  /// A client is gone, perhaps before it had all its answers.
  mutating func close(_ slot: Int) {
    while let note = clients[slot].takeFirst() { writeLine(note, Self.clientLeft, size: 0) }
  }

  /// Hands what there is to the writer. Call it at the end of a round.
  mutating func flush() {
    guard lineCount > 0 else { return }
    writer.write(&lines, lines: lineCount)
    lineCount = 0
  }

  private mutating func writeLine(_ note: borrowing Note, _ status: Int, size: Int) {
    guard note.text.count > 0 else {
      writer.drop(1)
      return
    }
    lineCount += 1
    lines.append(copying: note.text.span.extracting(..<note.afterStatus))
    lines.append(decimal: Int64(status))
    lines.append(format == .json ? ",\"bytes\":" : " ")
    lines.append(decimal: Int64(size))
    lines.append(note.text, from: note.afterStatus)
    if lines.count >= Self.full { flush() }
  }
}

// MARK: - The text of a line

extension AccessLog {
  /// Writes all of a line but status and size.
  ///
  /// - Returns: where those belong.
  private mutating func write(
    _ fields: LoggedFields, _ bytes: borrowing ByteBuffer, _ slot: Int, to text: inout ByteBuffer
  ) -> Int {
    switch format {
    case .combined:
      writeAddress(fields, bytes, slot, to: &text)
      text.append(" - - [")
      text.append(copying: time.text.span)
      text.append("] \"")
      text.append(escaped: fields.requestLine, of: bytes.span)
      text.append("\" ")
      let afterStatus = text.count
      text.append(" \"")
      text.append(escaped: fields.referer, of: bytes.span)
      text.append("\" \"")
      text.append(escaped: fields.userAgent, of: bytes.span)
      text.append("\"\n")
      return afterStatus
    case .json:
      text.append("{\"time\":\"")
      text.append(copying: time.text.span)
      text.append("\",\"client\":\"")
      writeAddress(fields, bytes, slot, to: &text)
      text.append("\",\"request\":\"")
      text.append(escaped: fields.requestLine, of: bytes.span, inJSON: true)
      text.append("\",\"status\":")
      let afterStatus = text.count
      text.append(",\"referer\":\"")
      text.append(escaped: fields.referer, of: bytes.span, inJSON: true)
      text.append("\",\"user_agent\":\"")
      text.append(escaped: fields.userAgent, of: bytes.span, inJSON: true)
      text.append("\"}\n")
      return afterStatus
    }
  }

  /// Writes where a request came from: from the client itself, unless a trusted proxy says otherwise.
  private mutating func writeAddress(
    _ fields: LoggedFields, _ bytes: borrowing ByteBuffer, _ slot: Int, to text: inout ByteBuffer
  ) {
    guard !trustedProxies.isEmpty, let peer = clients[slot].peer else {
      text.append(copying: clients[slot].address.span)
      return
    }
    text.append(fields.origin(in: bytes.span, peer: peer, trustedProxies))
  }
}

extension ByteBuffer {
  /// Adds an address.
  fileprivate mutating func append(_ address: NetworkAddress) {
    for byte in address.description.utf8 { append(byte) }
  }

  /// Adds what a client sent, with everything as `\xHH` that is not visible ASCII, or could end the
  /// text it stands in; nothing at all is `-`.
  ///
  /// - Parameter inJSON: the backslash itself has to be escaped there.
  fileprivate mutating func append(
    escaped range: Range<Int>, of bytes: borrowing Span<UInt8>, inJSON: Bool = false
  ) {
    guard !range.isEmpty else {
      append("-")
      return
    }
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
