import BasicContainers

/// Calls the observer. These functions are not inlined, so that a server without an observer pays only
/// for the check.
extension Server {
  @inline(never)
  func observeRequest(_ exchange: Exchange, _ header: Span<UInt8>) {
    observer?.requestParsed(exchange, header: header, client: clientAddress(of: exchange, header))
  }

  @inline(never)
  func observeResponse(_ exchange: Exchange, _ code: Int, _ bodyCount: Int) {
    observer?.responseWritten(
      exchange, code: code, bodyCount: exchange.options.contains(.withoutBody) ? 0 : bodyCount)
  }

  /// Tells of the requests of a connection that are lost with it.
  @inline(never)
  func observeLoss(_ slot: Int) {
    let generation = connections.slots[slot].generation
    var sequence = connections.slots[slot].responseCount
    while sequence != connections.slots[slot].requestCount {
      let exchange = Exchange(
        slot: UInt32(slot), generation: generation, sequence: sequence, options: [])
      observer?.responseWritten(exchange, code: nil, bodyCount: 0)
      sequence &+= 1
    }
  }

  /// The part of a refused request's header that has arrived. It is in the reader, or the connection
  /// keeps it.
  mutating func takeRefusedHeader(_ slot: Int) -> ByteBuffer {
    guard reader.slot == slot, connections.slots[slot].pendingRequest == nil else {
      return connections.slots[slot].takeKept()
    }
    var header = ByteBuffer()
    header.append(reader.bytes, from: reader.parsedEnd)
    return header
  }
}
