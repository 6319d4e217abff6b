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

  /// Where the request came from, as far as trusted proxies say.
  func origin(
    in bytes: borrowing Span<UInt8>, peer: NetworkAddress, _ trusted: [Network]
  ) -> NetworkAddress {
    guard trusted.contains(where: { $0.contains(peer) }) else { return peer }
    let stations =
      (
        forwardedFor.flatMap { Forwarding.stations(forwardedFor: bytes.copy(of: $0)) },
        forwarded.flatMap { Forwarding.stations(forwarded: bytes.copy(of: $0)) }
      )
    switch (stations.0.isEmpty, stations.1.isEmpty) {
    case (true, true): return peer
    case (false, true): return Forwarding.origin(of: peer, stations.0, trusted)
    case (true, false): return Forwarding.origin(of: peer, stations.1, trusted)
    case (false, false):
      // A proxy that knows only one of the fields hands on what a client wrote into the other.
      let origins =
        (
          Forwarding.origin(of: peer, stations.0, trusted),
          Forwarding.origin(of: peer, stations.1, trusted)
        )
      return origins.0 == origins.1 ? origins.0 : peer
    }
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

  fileprivate func copy(of range: Range<Int>) -> [UInt8] { range.map { self[$0] } }
}
