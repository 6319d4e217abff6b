/// Where in a header the access log finds what it tells: a second pass over bytes that the parser
/// has seen, and that it may have refused.
struct LoggedFields {
  private(set) var requestLine = 0..<0
  private(set) var referer = 0..<0
  private(set) var userAgent = 0..<0
  private var forwardedFor: [Range<Int>] = []
  private var forwarded: [Range<Int>] = []

  /// How many bytes the texts have that a line shows.
  var size: Int { requestLine.count + referer.count + userAgent.count }

  /// No header is longer that is taken (`Limits.header`), and of others the beginning will do.
  private static var longest: Int { 1 << 14 }

  /// Looks through lines up to an empty one, or to the end of what is there.
  init(_ bytes: borrowing Span<UInt8>, from start: Int) {
    let limit = min(bytes.count, start + Self.longest)
    var index = start
    // Empty lines before a request are none of it (RFC 9112 section 2.2).
    while index < limit, bytes[index] == .carriageReturn || bytes[index] == .lineFeed { index += 1 }
    requestLine = bytes.line(from: index, limit)
    index = requestLine.upperBound
    while index < limit {
      index += bytes[index] == .carriageReturn ? 2 : 1
      let line = bytes.line(from: index, limit)
      guard !line.isEmpty else { return }
      take(line, in: bytes)
      index = line.upperBound
    }
  }

  private mutating func take(_ line: Range<Int>, in bytes: borrowing Span<UInt8>) {
    var colon = line.lowerBound
    while colon < line.upperBound, bytes[colon] != .colon { colon += 1 }
    guard colon < line.upperBound else { return }
    let name = line.lowerBound..<colon
    switch name.count {
    case 7 where bytes.spells("referer", name):
      referer = bytes.trimmed(colon + 1..<line.upperBound)
    case 9 where bytes.spells("forwarded", name):
      forwarded.append(colon + 1..<line.upperBound)
    case 10 where bytes.spells("user-agent", name):
      userAgent = bytes.trimmed(colon + 1..<line.upperBound)
    case 15 where bytes.spells("x-forwarded-for", name):
      forwardedFor.append(colon + 1..<line.upperBound)
    default: break
    }
  }

  /// The most elements of a field that are looked at.
  private static var mostHops: Int { 32 }

  /// The client's address: the last one that a trusted proxy vouches for, or else the peer's.
  func origin(
    in bytes: borrowing Span<UInt8>, peer: NetworkAddress, _ trusted: [Network]
  ) -> NetworkAddress {
    guard trusted.contains(where: { $0.contains(peer) }) else { return peer }
    switch (forwardedFor.isEmpty, forwarded.isEmpty) {
    case (true, true): return peer
    case (false, true): return origin(forwardedFor, .addresses, in: bytes, peer, trusted)
    case (true, false): return origin(forwarded, .pairs, in: bytes, peer, trusted)
    case (false, false):
      // A proxy that knows only one of the fields hands on what a client wrote into the other.
      let one = origin(forwardedFor, .addresses, in: bytes, peer, trusted)
      let other = origin(forwarded, .pairs, in: bytes, peer, trusted)
      return one == other ? one : peer
    }
  }

  /// Goes from proxy to proxy, from the right, for as long as the address of the one before is trusted.
  ///
  /// - Returns: the peer if a trusted proxy names something that is no address.
  private func origin(
    _ values: [Range<Int>], _ syntax: ForwardedElements.Syntax, in bytes: borrowing Span<UInt8>,
    _ peer: NetworkAddress, _ trusted: [Network]
  ) -> NetworkAddress {
    var origin = peer
    var hops = 0
    for value in values.reversed() {
      var elements = ForwardedElements(copy bytes, value, syntax)
      while hops < Self.mostHops, trusted.contains(where: { $0.contains(origin) }),
        let element = elements.next()
      {
        hops += 1
        if element.isEmpty { continue }
        guard let address = elements.address(of: element) else { return peer }
        origin = address
      }
    }
    return origin
  }
}

extension Span<UInt8> {
  /// From an index to the next end of line, which is left out, or to the limit.
  fileprivate func line(from start: Int, _ limit: Int) -> Range<Int> {
    guard start < limit else { return limit..<limit }
    var end = endOfFieldValue(from: start)
    while end < limit, self[end] != .carriageReturn, self[end] != .lineFeed {
      end = endOfFieldValue(from: end + 1)
    }
    return start..<min(end, limit)
  }
}
