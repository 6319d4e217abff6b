import BasicContainers
package import HTTP
package import System

/// A line for each request, in the combined format of Apache and nginx or as JSON.
///
/// The text of a request is made when it is parsed, because its bytes are gone when it is answered, and
/// its line is written with the response. A request whose client has left before gets the status 499, as
/// nginx has it. The program begins and ends each of its rounds; the server does the rest.
package final class AccessLog: RequestObserver {
  private let format: Format
  private let writer: LineWriter
  private let capacity: Int
  private var clients = UniqueArray<PendingLines>()
  private var time = AccessTime()

  /// The storage of the lines that wait for responses, in bytes.
  private var waitingBytes = 0

  /// Lines that were not handed to the writer yet.
  private var lines = UniqueArray<UInt8>()
  private var lineCount = 0

  /// How a line looks.
  package enum Format: Sendable {
    /// `address - - [time] "request" status size "referer" "user agent"`.
    case combined
    /// A JSON object.
    case json
  }

  /// The status of a request whose client has left.
  private static var clientLeft: Int { 499 }

  /// The number of bytes at which lines are handed to the writer before the end of the round.
  private static var full: Int { 1 << 16 }

  /// - Parameter capacity: the most bytes of lines that wait for responses; further lines are dropped
  ///   and counted.
  package init(_ format: Format, to writer: LineWriter, capacity: Int) {
    self.format = format
    self.writer = writer
    self.capacity = capacity
  }

  /// Begins a round.
  package func beginRound(_ now: Instant) {
    time.refresh(now, format)
  }

  /// Ends a round: hands its lines to the writer.
  package func endRound() {
    guard lineCount > 0 else { return }
    writer.write(&lines, lines: lineCount)
    lineCount = 0
  }

  package func requestParsed(_ exchange: Exchange, header: Span<UInt8>, client: NetworkAddress) {
    let slot = Int(exchange.slot)
    while clients.count <= slot { clients.append(PendingLines()) }
    let line =
      clients[slot].hasRoom && waitingBytes < capacity
      ? PendingLine(format, LoggedRequest(header), header, client, time.text.span) : PendingLine()
    waitingBytes += line.size
    clients[slot].append(line, exchange.sequence)
  }

  package func responseWritten(_ exchange: Exchange, code: Int?, bodyCount: Int) {
    guard let line = clients[Int(exchange.slot)].take(exchange.sequence) else { return }
    waitingBytes -= line.size
    guard !line.text.isEmpty else { return writer.drop(1) }
    lineCount += 1
    lines.append(copying: line.text.span.extracting(..<line.afterStatus))
    lines.append(decimal: Int64(code ?? Self.clientLeft))
    lines.append(format == .json ? ",\"bytes\":" : " ")
    lines.append(decimal: Int64(bodyCount))
    lines.append(copying: line.text.span.extracting(line.afterStatus...))
    if lines.count >= Self.full { endRound() }
  }
}
