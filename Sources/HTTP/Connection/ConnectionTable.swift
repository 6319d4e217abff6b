import BasicContainers
import System

/// The connections of a server, each in a slot that is used again after its close.
struct ConnectionTable: ~Copyable {
  /// The connections. They are reached by the array itself: an accessor of the table's own in between
  /// would cost a request 190 instructions.
  var slots = UniqueArray<ClientConnection>()
  private var freeSlots = UniqueArray<Int>()

  /// The number of connections that are open.
  private(set) var openCount = 0

  /// The storage of all buffers that are kept for clients, in bytes. It is a running sum, kept by
  /// `countBuffers`.
  private(set) var bufferedBytes = 0

  /// Whether a slot still serves the client that a token means.
  @inline(__always)
  func isCurrent(_ token: Token) -> Bool {
    let slot = Int(token.slot)
    return slots[slot].generation & 0xFF_FFFF == token.generation && slots[slot].isOpen
  }

  /// Whether a slot still serves the client of an exchange.
  @inline(__always)
  func isCurrent(_ exchange: Exchange) -> Bool {
    slots[Int(exchange.slot)].generation == exchange.generation
  }

  /// The token of a slot's present use.
  func token(of slot: Int, owner: UInt8) -> Token {
    Token(owner: owner, slot: UInt32(slot), generation: slots[slot].generation)
  }

  /// Finds a slot for a new connection. It stays free until `open`.
  mutating func reserveSlot() -> Int {
    if !freeSlots.isEmpty { return freeSlots[freeSlots.count - 1] }
    slots.append(ClientConnection())
    freeSlots.append(slots.count - 1)
    return slots.count - 1
  }

  /// Takes the slot that was reserved last.
  mutating func open(_ accepted: consuming Listener.Accepted, until: Instant) {
    guard let slot = freeSlots.popLast() else { preconditionFailure("no slot was reserved") }
    slots[slot].open(accepted, until: until)
    openCount += 1
  }

  /// Closes a connection and frees its slot.
  mutating func close(_ slot: Int) {
    slots[slot].close()
    _ = countBuffers(of: slot)
    freeSlots.append(slot)
    openCount -= 1
  }

  /// The connection that has waited longest for a request, if that is long enough to be closed for
  /// another one. It looks at every connection.
  func longestIdle(_ limits: Limits, _ now: Instant) -> Int? {
    var found: Int?
    var earliest = Instant.never
    for slot in 0..<slots.count {
      guard let start = slots[slot].idleStart(limits), start + limits.evictionAge <= now,
        start < earliest
      else { continue }
      (found, earliest) = (slot, start)
    }
    return found
  }

  /// Fills a reader with what was kept of a header, if anything, and what has come since.
  ///
  /// - Returns: the number of bytes that came; 0 at the end; nil when none are there.
  @inline(__always)
  func receive(_ slot: Int, into reader: inout RequestReader) throws(SystemError) -> Int? {
    try reader.receive(slots[slot])
  }

  /// Adds to the sum of all buffers what those of a connection have grown by, which may be negative.
  ///
  /// - Returns: whether they have grown.
  mutating func countBuffers(of slot: Int) -> Bool {
    let growth = slots[slot].bufferedBytes - slots[slot].countedBytes
    slots[slot].countedBytes += growth
    bufferedBytes += growth
    return growth > 0
  }
}
