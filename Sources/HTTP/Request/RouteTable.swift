import BasicContainers

/// Paths that the program answers, and the methods that it answers them to.
package struct Route: Sendable {
  package let template: StaticString
  let methods: MethodSet
  let bodyLimit: Int?

  /// - Parameters:
  ///   - template: a path of at most five segments, each a literal text or a parameter:
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

  static var mostSegments: Int { 5 }

  /// Segments of a path or a template, without their slashes.
  struct Segments {
    var ranges = InlineArray<5, Range<Int>>(repeating: 0..<0)
    var count = 0

    /// - Returns: nil when there are too many.
    @inline(__always)
    init?(_ path: Range<Int>, isSlash: (Int) -> Bool) {
      var start = path.lowerBound &+ 1
      var index = start
      while index < path.upperBound {
        if isSlash(index) {
          guard append(start..<index) else { return nil }
          start = index &+ 1
        }
        index &+= 1
      }
      // An empty path, as an absolute target may have, is `/` (RFC 9110 section 4.2.3).
      guard append(start..<max(start, path.upperBound)) else { return nil }
    }

    @inline(__always)
    private mutating func append(_ segment: Range<Int>) -> Bool {
      guard count < RouteTable.mostSegments else { return false }
      ranges[count] = segment
      count &+= 1
      return true
    }
  }

  struct Entry {
    let route: Route
    let segments: Segments

    func isParameter(_ segment: Range<Int>) -> Bool {
      !segment.isEmpty && route.template.byte(segment.lowerBound) == UInt8(ascii: "{")
    }

    /// Whether it is a path whose parameters are whole segments, and not too many.
    var isSound: Bool {
      var parameterCount = 0
      for index in 0..<segments.count where isParameter(segments.ranges[index]) {
        guard route.template.byte(segments.ranges[index].upperBound - 1) == UInt8(ascii: "}") else {
          return false
        }
        parameterCount += 1
      }
      return route.template.byte(0) == .slash && parameterCount <= RouteMatch.mostParameters
    }
  }

  /// - Precondition: each template is a path of at most five segments and two parameters.
  init(_ routes: [Route]) {
    for route in routes {
      let path = 0..<route.template.utf8CodeUnitCount
      guard
        let segments = Segments(path, isSlash: { route.template.byte($0) == .slash })
      else { preconditionFailure("a template has too many segments") }
      let entry = Entry(route: route, segments: segments)
      precondition(entry.isSound, "a template has too many parameters, or is no path")
      if path.count == 1, root == nil { root = entries.count }
      entries.append(entry)
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
    if path.count <= 1, let root { return RouteMatch(route: root) }
    return matchSegments(of: path, in: bytes)
  }

  @inline(never)
  private func matchSegments(of path: Range<Int>, in bytes: Span<UInt8>) -> RouteMatch? {
    guard let segments = Segments(path, isSlash: { bytes[$0] == .slash }) else { return nil }
    for route in 0..<entries.count where entries[route].segments.count == segments.count {
      if let match = match(route, segments, in: bytes) { return match }
    }
    return nil
  }

  @inline(__always)
  private func match(_ route: Int, _ segments: Segments, in bytes: Span<UInt8>) -> RouteMatch? {
    var match = RouteMatch(route: route)
    var parameterCount = 0
    for index in 0..<segments.count {
      let (expected, segment) = (entries[route].segments.ranges[index], segments.ranges[index])
      if entries[route].isParameter(expected) {
        match.parameters[parameterCount] = segment
        parameterCount &+= 1
      } else {
        guard matches(entries[route].route.template, expected, segment, in: bytes) else {
          return nil
        }
      }
    }
    return match
  }

  /// Compares a literal segment of a template with a percent-encoded one.
  @inline(__always)
  private func matches(
    _ template: StaticString, _ literal: Range<Int>, _ segment: Range<Int>,
    in bytes: Span<UInt8>
  ) -> Bool {
    var index = segment.lowerBound
    for place in literal {
      guard index < segment.upperBound else { return false }
      var byte = bytes[index]
      index &+= 1
      if byte == .percent, let high = bytes[index].hexadecimalDigit,
        let low = bytes[index &+ 1].hexadecimalDigit
      {
        byte = UInt8(high << 4 | low)
        index &+= 2
      }
      guard byte == template.byte(place) else { return false }
    }
    return index == segment.upperBound
  }
}
