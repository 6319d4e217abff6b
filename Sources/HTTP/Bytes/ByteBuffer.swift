import BasicContainers
import System

/// Bytes on their way in or out, in storage of their own.
typealias ByteBuffer = UniqueArray<UInt8>

extension UniqueArray<UInt8> {
  /// Adds what another holds from an index on.
  mutating func append(_ other: borrowing ByteBuffer, from start: Int) {
    append(copying: other.span.extracting(start...))
  }

  /// Adds what another holds from an index on, in storage that is at most a page larger than its
  /// content. A buffer that is kept for a client grows this way; a multiple of its content, as an
  /// array has it, would count against the memory of all.
  mutating func appendTightly(_ other: borrowing ByteBuffer, from start: Int) {
    let needed = count + other.count - start
    if needed > capacity {
      let isFirst = isEmpty
      reallocate(capacity: isFirst ? needed : (needed + 4095) & ~4095)
    }
    append(other, from: start)
  }

  /// Removes bytes from the front, and gives storage back when most of it has become free.
  mutating func removeFirstTightly(_ number: Int) {
    removeSubrange(..<number)
    if capacity - count > 4096 { reallocate(capacity: count) }
  }
}
