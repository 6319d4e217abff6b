import BasicContainers
import System

/// Paths that the program answers, and the methods that it answers them to.
package struct Route: Sendable {
  package let template: StaticString
  let methods: MethodSet
  let bodyLimit: Int?

  /// - Parameters:
  ///   - template: a path whose segments are literal texts and at most two parameters:
  ///     `/hit/{namespace}/{key}`. A literal is written without percent-encoding.
  ///   - bodyLimit: the longest body in bytes, which the request brings along; a longer one is
  ///     answered 413. Without a limit, bodies are read past.
  package init(_ template: StaticString, _ methods: MethodSet, bodyLimit: Int? = nil) {
    self.template = template
    self.methods = methods
    self.bodyLimit = bodyLimit
  }
}

/// The route of a path, and the segments of the path that stand for its parameters.
package struct RouteMatch: Sendable {
  /// The most parameters of a route.
  package static var mostParameters: Int { 2 }

  package typealias Parameters = InlineArray<2, Range<Int>>

  var route: Int
  var parameters = Parameters(repeating: 0..<0)
}

/// The routes of a server. The first one that matches a path wins.
struct RouteTable: ~Copyable {
  private var entries = UniqueArray<Entry>()

  /// The route of `/`, which most servers are asked for most.
  private var root: Int?

  /// The methods of all routes together.
  private(set) var methods: MethodSet = []

  /// A route, and where its parameters end in its template.
  struct Entry {
    let route: Route
    var parameterEnds = InlineArray<2, Int>(repeating: 0)

    /// How long the template is before its first parameter.
    private(set) var literalCount: Int

    /// - Precondition: the template is a path whose parameters are whole segments, and not too many.
    init(_ route: Route) {
      self.route = route
      let template = route.template
      literalCount = template.utf8CodeUnitCount
      precondition(template.byte(0) == .slash, "a template is a path")
      var parameterCount = 0
      for place in 1..<max(1, template.utf8CodeUnitCount) {
        if template.byte(place) == Entry.parameterStart {
          precondition(template.byte(place - 1) == .slash, "a parameter is a whole segment")
          precondition(parameterCount < RouteMatch.mostParameters, "too many parameters")
          if parameterCount == 0 { literalCount = place }
        } else if template.byte(place) == UInt8(ascii: "}") {
          let isLast = place + 1 == template.utf8CodeUnitCount
          precondition(isLast || template.byte(place + 1) == .slash, "it is a whole segment")
          parameterEnds[parameterCount] = place + 1
          parameterCount += 1
        }
      }
    }

    static var parameterStart: UInt8 { UInt8(ascii: "{") }
  }

  /// - Precondition: each template is a path of segments that are literals or at most two parameters.
  init(_ routes: [Route]) {
    for route in routes {
      if route.template.utf8CodeUnitCount == 1, root == nil { root = entries.count }
      entries.append(Entry(route))
      methods.formUnion(route.methods)
    }
  }

  /// The methods that a route allows.
  @inline(__always)
  func methods(of route: Int) -> MethodSet { entries[route].route.methods }

  /// The longest body that a route asks for, if it does.
  func bodyLimit(of route: Int) -> Int? { entries[route].route.bodyLimit }

  /// - Parameter path: a range of `bytes` whose percent-encoding was checked.
  /// - Returns: nil when no route matches.
  @inline(__always)
  func match(_ path: Range<Int>, in bytes: Span<UInt8>) -> RouteMatch? {
    // An empty path, as an absolute target may have, is `/` (RFC 9110 section 4.2.3).
    if path.count <= 1, let root { return RouteMatch(route: root) }
    return matchTemplates(path, in: bytes)
  }

  @inline(never)
  private func matchTemplates(_ path: Range<Int>, in bytes: Span<UInt8>) -> RouteMatch? {
    for route in 0..<entries.count {
      if let match = match(route, path, in: bytes) { return match }
    }
    return nil
  }

  /// Walks through the template of a route and a path side by side.
  @inline(__always)
  private func match(_ route: Int, _ path: Range<Int>, in bytes: Span<UInt8>) -> RouteMatch? {
    let template = entries[route].route.template.bytes
    var place = 0
    var index = path.lowerBound
    // Most routes are told apart here, and most paths are not percent-encoded.
    if bytes.starts(with: entries[route].route.template, entries[route].literalCount, at: index) {
      place = entries[route].literalCount
      index &+= place
    }
    var match = RouteMatch(route: route)
    var parameterCount = 0
    while place < template.count {
      // It comes first: the segment that stands for a parameter may begin with a brace, too.
      if template[place] == Entry.parameterStart {
        let end = bytes.firstIndex(of: .slash, in: index..<path.upperBound)
        match.parameters[parameterCount] = index..<end
        index = end
        place = entries[route].parameterEnds[parameterCount]
        parameterCount &+= 1
      } else if index < path.upperBound, bytes[index] == template[place] {
        index &+= 1
        place &+= 1
      } else {
        guard index < path.upperBound, bytes[index] == .percent,
          decodedByte(at: index, in: bytes) == template[place]
        else { return nil }
        index &+= 3
        place &+= 1
      }
    }
    return index == path.upperBound ? match : nil
  }

  /// The byte that a percent sign in a literal segment stands for; nil for an encoded slash, which
  /// separates no segments (RFC 3986 section 2.2).
  @inline(never)
  private func decodedByte(at index: Int, in bytes: Span<UInt8>) -> UInt8? {
    let decoded = bytes.percentDecodedByte(at: index, before: bytes.count)
    return decoded == .slash ? nil : decoded
  }
}
