/// The proxies whose word on where a request came from is taken.
struct TrustedProxies: Sendable {
  let networks: [Network]

  /// The most elements of a field that are looked at.
  private static var mostHops: Int { 32 }

  /// The client's address: the last one that a trusted proxy vouches for, or else the peer's.
  ///
  /// - Parameter header: of the request.
  func clientAddress(of peer: NetworkAddress, _ header: Span<UInt8>) -> NetworkAddress {
    guard isTrusted(peer) else { return peer }
    var forwardedFor: [Range<Int>] = []
    var forwarded: [Range<Int>] = []
    var lines = HeaderLines(header)
    while let field = lines.next() {
      if header.spells("x-forwarded-for", field.name) {
        forwardedFor.append(field.value)
      } else if header.spells("forwarded", field.name) {
        forwarded.append(field.value)
      }
    }
    let one = origin(forwardedFor, .addresses, in: header, peer)
    let other = origin(forwarded, .pairs, in: header, peer)
    if forwarded.isEmpty { return one }
    if forwardedFor.isEmpty { return other }
    // A proxy that knows only one of the fields hands on what a client wrote into the other.
    return one == other ? one : peer
  }

  private func isTrusted(_ address: NetworkAddress) -> Bool {
    networks.contains { $0.contains(address) }
  }

  /// Goes from proxy to proxy, from the right, for as long as the address of the one before is trusted.
  ///
  /// - Returns: the peer if a trusted proxy names something that is no address.
  private func origin(
    _ values: [Range<Int>], _ syntax: ForwardedElements.Syntax, in bytes: Span<UInt8>,
    _ peer: NetworkAddress
  ) -> NetworkAddress {
    var origin = peer
    var hops = 0
    for value in values.reversed() {
      var elements = ForwardedElements(bytes, value, syntax)
      while hops < Self.mostHops, isTrusted(origin), let element = elements.next() {
        hops += 1
        if element.isEmpty { continue }
        guard let address = elements.address(of: element) else { return peer }
        origin = address
      }
    }
    return origin
  }
}
