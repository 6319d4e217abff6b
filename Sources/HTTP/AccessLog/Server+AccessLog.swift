import BasicContainers
import System

/// What the access log is told. Each stands apart from the code of a visit's way, which only asks
/// whether there is an access log.
extension Server {
  /// A client connected.
  @inline(never)
  mutating func logOpen(_ slot: Int, _ socket: borrowing Descriptor) {
    accessLog?.open(slot, NetworkAddress(ofPeer: socket))
  }

  /// A head was read, from `understood` on.
  @inline(never)
  mutating func noteRequest(_ slot: Int) {
    accessLog?.note(slot, input, from: understood)
  }

  /// A request is refused of which only a part came, or could be read.
  @inline(never)
  mutating func noteRefused(_ slot: Int) {
    guard slot != current else { return noteRequest(slot) }
    var part = ByteBuffer()
    connections[slot].copyInput(to: &part)
    accessLog?.note(slot, part, from: 0)
  }

  /// A request was answered.
  @inline(never)
  mutating func logAnswer(_ exchange: Exchange, _ response: borrowing Response, _ number: Int64?) {
    let withBody = !exchange.options.contains(.withoutBody)
    accessLog?.answer(
      Int(exchange.slot), exchange.sequence, response.code,
      size: withBody ? response.length(with: number) : 0)
  }
}
