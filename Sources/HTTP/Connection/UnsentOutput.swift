import BasicContainers
import System

/// Output of a connection that the kernel did not take, and the time that its client has to read.
/// There is a deadline if, and only if, there are bytes.
struct UnsentOutput: ~Copyable {
  private(set) var bytes = ByteBuffer()
  private(set) var deadline = Instant.never

  /// Adds output. The deadline stays where it is when there was some already: only a client that
  /// reads can move it.
  mutating func append(_ output: borrowing ByteBuffer, from start: Int, deadline: Instant) {
    if bytes.isEmpty { self.deadline = deadline }
    bytes.appendTightly(output, from: start)
  }

  /// Removes bytes that were sent, because the client has read others.
  mutating func removeFirst(_ count: Int, deadline: Instant) {
    if count == bytes.count {
      self = UnsentOutput()
    } else {
      bytes.removeFirstTightly(count)
      self.deadline = deadline
    }
  }
}

/// Responses of a connection that were ready before an earlier one.
struct HeldResponses: ~Copyable {
  private var responses = UniqueArray<HeldResponse>()

  /// The storage of the responses, in bytes.
  private(set) var size = 0

  var isEmpty: Bool { responses.isEmpty }

  mutating func append(_ bytes: consuming ByteBuffer, _ sequence: UInt32) {
    size += Self.size(bytes.capacity)
    responses.append(HeldResponse(sequence: sequence, bytes: bytes))
  }

  /// - Returns: the response with a sequence number, if it is here.
  mutating func take(_ sequence: UInt32) -> ByteBuffer? {
    for index in 0..<responses.count where responses[index].sequence == sequence {
      let response = responses.remove(at: index)
      size -= Self.size(response.bytes.capacity)
      if responses.isEmpty { responses = UniqueArray() }
      return response.bytes
    }
    return nil
  }

  /// The storage that a response takes; the list of them grows by half of its size at a time.
  private static func size(_ bytes: Int) -> Int {
    bytes + MemoryLayout<HeldResponse>.stride * 3 / 2
  }
}

/// A response, and its place among those of its connection.
struct HeldResponse: ~Copyable {
  let sequence: UInt32
  let bytes: ByteBuffer
}

/// Responses of one connection that the kernel was not handed yet. All connections share the buffer;
/// it is sent before another connection acquires it. It has an owner if, and only if, it has bytes
/// or is about to get some.
struct SharedOutput: ~Copyable {
  var bytes = ByteBuffer()
  private(set) var owner: Int?

  /// Makes the empty buffer a connection's.
  mutating func acquire(_ slot: Int) {
    precondition(bytes.isEmpty)
    owner = slot
  }

  /// Empties the buffer and gives up its ownership.
  mutating func release() {
    owner = nil
    bytes.removeAll(keepingCapacity: true)
  }
}
