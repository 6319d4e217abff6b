import BasicContainers
import System
import Telemetry

/// Responses without an end.
///
/// A stream is the last response of its connection, and ends with it. Its client ends it by closing, which
/// includes closing only its sending side: that is all that the server sees of a client that has gone. The
/// program ends it with `endStream`. While the kernel has not taken all output of the connection, further pieces
/// are dropped. A client that does not read therefore costs little memory, until its write timeout resets it.
extension Server {
  /// What became of a piece of a stream.
  package enum Writing: Equatable, Sendable {
    /// It leaves at the end of the round, or earlier.
    case written
    /// The kernel has not taken all earlier output, or responses before the stream are awaited. The piece
    /// is dropped.
    case busy
    /// The stream has ended.
    case ended
  }

  /// Responds to a request with a stream. The head leaves as other responses do; to the observer the
  /// response is one without a body, written now.
  ///
  /// - Precondition: the request is the one that `nextRequest` returned last. So no request behind it was
  ///   taken.
  /// - Parameter tag: the program's name for the stream.
  /// - Returns: whether the stream has begun. A client that is gone gets none, and a HEAD request gets the
  ///   head alone. `nextEndedStream` returns the tag when the client ends the stream.
  package mutating func beginStream(
    _ exchange: Exchange, _ head: borrowing ResponseHead, tag: UInt32
  ) -> Bool {
    guard connections.isCurrent(exchange) else { return false }
    let slot = Int(exchange.slot)
    precondition(
      exchange.sequence &+ 1 == connections.slots[slot].requestCount,
      "a stream is the last response of its connection")
    let hasBody = !exchange.options.contains(.withoutBody)
    if hasBody {
      connections.slots[slot].beginStream(tag)
      figures.streams.add(1)
    } else {
      connections.slots[slot].finish()
    }
    _ = connections.countBuffers(of: slot)
    respond(exchange, head.code, 0, size: head.longest(bodyCount: 0)) { output, date, _ in
      head.writeWithoutLength(to: &output, date: date)
    }
    return hasBody
  }

  /// Writes a piece of a stream.
  package mutating func write(_ exchange: Exchange, _ piece: Span<UInt8>) -> Writing {
    let slot = Int(exchange.slot)
    guard connections.isCurrent(exchange), connections.slots[slot].isStreaming else {
      return .ended
    }
    guard connections.slots[slot].isSettled else { return .busy }
    append(piece, slot)
    return .written
  }

  /// Ends a stream. Its last piece is written behind all earlier output, and left out only where responses
  /// before the stream are awaited.
  ///
  /// - Returns: false when the stream has ended before, so that `nextEndedStream` returns its tag.
  package mutating func endStream(_ exchange: Exchange, _ piece: Span<UInt8>) -> Bool {
    let slot = Int(exchange.slot)
    guard connections.isCurrent(exchange), connections.slots[slot].isStreaming else { return false }
    connections.slots[slot].endStream()
    figures.streams.add(-1)
    if connections.slots[slot].outstanding == 0 { append(piece, slot) }
    settle(slot)
    return true
  }

  /// The tag of a stream that its client has ended, or the server for a client that does not read; each
  /// once, in no order.
  package mutating func nextEndedStream() -> UInt32? { endedStreams.popLast() }

  /// Notes that the connection of a stream is closed.
  mutating func recordEnd(ofStream tag: UInt32) {
    endedStreams.append(tag)
    figures.streams.add(-1)
  }

  private mutating func append(_ piece: Span<UInt8>, _ slot: Int) {
    guard !piece.isEmpty else { return }
    acquireOutput(slot)
    output.bytes.append(copying: piece)
    if output.bytes.count > Self.writeSize { sendResponses() }
  }
}
