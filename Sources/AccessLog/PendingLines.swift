import BasicContainers

/// The lines of a connection's requests that wait for their responses.
struct PendingLines: ~Copyable {
  private var lines = UniqueArray<PendingLine>()

  /// The place of the first line among the requests of the connection, modulo 2^32.
  private var first: UInt32 = 0

  /// The storage of the lines, in bytes.
  private var byteCount = 0

  /// The most bytes that are kept for a connection, but for its last line.
  private static var mostBytes: Int { 1 << 18 }

  /// Whether a line can be kept.
  var hasRoom: Bool { byteCount <= Self.mostBytes }

  /// Adds the line of the request that follows the last one, or that is the first of a connection.
  mutating func append(_ line: consuming PendingLine, _ sequence: UInt32) {
    if lines.isEmpty { first = sequence }
    byteCount += line.size
    lines.append(line)
  }

  /// - Returns: the line of a request; nil if it was taken before.
  mutating func take(_ sequence: UInt32) -> PendingLine? {
    let index = Int(sequence &- first)
    guard index < lines.count, !lines[index].isTaken else { return nil }
    var line = PendingLine()
    line.isTaken = true
    swap(&line, &lines[index])
    byteCount -= line.size
    removeTaken()
    return line
  }

  /// Removes the lines at the front that were taken, many at a time.
  private mutating func removeTaken() {
    var taken = 0
    while taken < lines.count, lines[taken].isTaken { taken += 1 }
    guard taken == lines.count || taken >= 64 else { return }
    // The storage of a long pipeline is not kept for a connection that goes on with single requests.
    if taken == lines.count, taken > 8 {
      lines = UniqueArray()
    } else {
      lines.removeSubrange(..<taken)
    }
    first &+= UInt32(taken)
  }
}
