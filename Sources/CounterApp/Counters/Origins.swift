import HTTP
import System

/// Whose pages may count in a namespace from a browser.
///
/// A browser tells where a request comes from by fields that a page cannot choose: `Origin`
/// (https://fetch.spec.whatwg.org/#origin-header), `Referer` (RFC 9110 section 10.1.3) and `Sec-Fetch-Site`
/// (https://www.w3.org/TR/fetch-metadata/). Other programs send none of them, unless they pretend to be one.
package struct Origins: Sendable, Equatable {
  /// The origins of each namespace that has any.
  private var lists: [String: [Origin]] = [:]

  /// The most origins, of all namespaces together.
  static var most: Int { 1024 }

  var isEmpty: Bool { lists.isEmpty }

  var namespaces: Set<String> { Set(lists.keys) }

  /// How many origins there are, of all namespaces together.
  var count: Int { lists.values.reduce(0) { $0 + $1.count } }

  mutating func add(_ origin: Origin, to namespace: String) {
    guard lists[namespace]?.contains(origin) != true else { return }
    lists[namespace, default: []].append(origin)
  }

  /// Whether a hit counts: its namespace has no origins, no browser has sent it, or it comes from one of the
  /// namespace's origins.
  func allowHit(in namespace: String, header: Span<UInt8>) -> Bool {
    guard let origins = lists[namespace] else { return true }
    let source = RequestSource(header)
    guard source.isBrowser else { return true }
    guard let origin = source.origin else { return false }
    return origins.contains { $0.isEqual(header.extracting(origin)) }
  }
}

/// The scheme, host and port of a page, as browsers write them: in lower case, without the port that the scheme
/// implies (https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin).
struct Origin: Sendable, Equatable {
  private let bytes: [UInt8]

  /// - Parameter text: such as `https://blog.example`, perhaps with a port.
  init?(_ text: String) {
    let text = text.lowercased()
    let schemes: [(start: String, port: UInt16)] = [("https://", 443), ("http://", 80)]
    guard let scheme = schemes.first(where: { text.hasPrefix($0.start) }) else { return nil }
    let authority = text.dropFirst(scheme.start.count)
    guard authority.utf8.allSatisfy(Self.isAllowed),
      let server = try? HostPort(authority, defaultPort: scheme.port)
    else { return nil }
    let port = ":\(server.port)"
    let isImplied = server.port == scheme.port
    bytes = Array("\(scheme.start)\(server)".utf8.dropLast(isImplied ? port.utf8.count : 0))
  }

  /// Whether a byte can be a part of a host or a port.
  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x61...0x7A: true
    default: "-._:[]".utf8.contains(byte)
    }
  }

  func isEqual(_ other: Span<UInt8>) -> Bool {
    bytes.count == other.count && bytes.indices.allSatisfy { bytes[$0] == other[$0] }
  }
}

/// Where a request comes from, as its header says.
private struct RequestSource {
  private(set) var isBrowser = false

  /// The range of the origin; nil unless the browser tells one. `Origin` beats `Referer`.
  private(set) var origin: Range<Int>?

  init(_ header: Span<UInt8>) {
    var origins: [Range<Int>] = []
    var referrers: [Range<Int>] = []
    var lines = HeaderLines(header)
    while let field = lines.next() {
      switch field.name.count {
      case 6 where header.spells("origin", field.name): origins.append(field.value)
      case 7 where header.spells("referer", field.name): referrers.append(field.value)
      case 14 where header.spells("sec-fetch-site", field.name): break
      default: continue
      }
      isBrowser = true
    }
    // A field that comes more than once tells nothing.
    if !origins.isEmpty {
      origin = origins.count == 1 ? origins[0] : nil
    } else if referrers.count == 1 {
      origin = Self.origin(ofAddress: referrers[0], in: header)
    }
  }

  /// The part of an address before its path.
  private static func origin(ofAddress range: Range<Int>, in header: Span<UInt8>) -> Range<Int> {
    var slashes = 0
    var end = range.lowerBound
    while end < range.upperBound {
      if header[end] == UInt8(ascii: "/") { slashes += 1 }
      if slashes == 3 || header[end] == UInt8(ascii: "?") || header[end] == UInt8(ascii: "#") {
        break
      }
      end += 1
    }
    return range.lowerBound..<end
  }
}
