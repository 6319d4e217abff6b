import BasicContainers

/// What a request is about.
enum Resource: Equatable, Sendable, BitwiseCopyable {
  /// One of the known paths.
  case route(Int)
  /// A path that is not known.
  case unknown
  /// The server as a whole.
  case server
}

/// The paths that a server knows; a request names one by its place in the list.
struct Routes: ~Copyable {
  private var paths = UniqueArray<StaticString>()

  /// - Parameter paths: as they read when nothing in them is percent-encoded, each with its
  ///   leading slash.
  init(_ paths: [StaticString]) {
    for path in paths { self.paths.append(path) }
  }

  /// What a target in `bytes` means. An empty path, as an absolute target may have, is `/` (RFC
  /// 9110 section 4.2.3).
  func find(_ target: Target, in bytes: borrowing ByteBuffer) -> Resource {
    guard case .path(let text) = target else { return .server }
    for route in 0..<paths.count where matches(paths[route], text, in: bytes.span) {
      return .route(route)
    }
    return .unknown
  }

  /// Compares a known path with a percent-encoded one whose encoding is known to be sound.
  @inline(__always)
  private func matches(
    _ path: StaticString, _ text: Range<Int>, in bytes: borrowing Span<UInt8>
  ) -> Bool {
    if text.count == 1, path.utf8CodeUnitCount == 1 {
      return bytes[text.lowerBound] == path.byte(0)
    }
    var index = text.lowerBound
    var matched = text.isEmpty && path.utf8CodeUnitCount == 1 ? 1 : 0
    while index < text.upperBound, matched < path.utf8CodeUnitCount {
      var byte = bytes[index]
      index &+= 1
      if byte == .percent, let high = bytes[index].hexadecimalDigit,
        let low = bytes[index &+ 1].hexadecimalDigit
      {
        byte = UInt8(high << 4 | low)
        index &+= 2
      }
      guard byte == path.byte(matched) else { return false }
      matched &+= 1
    }
    return index == text.upperBound && matched == path.utf8CodeUnitCount
  }
}
