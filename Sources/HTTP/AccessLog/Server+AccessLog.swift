import BasicContainers
import System

/// The access log's view of the server. These stand apart from the code of a visit's way, which only
/// asks whether there is an access log.
extension Server {
  /// A client connected.
  @inline(never)
  mutating func logOpen(_ slot: Int, _ peer: NetworkAddress) {
    accessLog?.open(slot, peer)
  }

  /// A head was parsed; the reader has not moved on behind it.
  @inline(never)
  mutating func noteRequest(_ slot: Int) {
    accessLog?.note(slot, reader.bytes, from: reader.parsedEnd)
  }

  /// A request is refused of which only a part came, or could be parsed.
  @inline(never)
  mutating func noteRefused(_ slot: Int) {
    guard slot != reader.slot else { return noteRequest(slot) }
    var part = ByteBuffer()
    part.append(connections.slots[slot].kept, from: 0)
    accessLog?.note(slot, part, from: 0)
  }

  /// A request was answered.
  @inline(never)
  mutating func logResponse(_ exchange: Exchange, _ code: Int, bodyCount: Int) {
    let withBody = !exchange.options.contains(.withoutBody)
    accessLog?.answer(
      Int(exchange.slot), exchange.sequence, code, size: withBody ? bodyCount : 0)
  }
}
