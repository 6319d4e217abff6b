/// A request that waits for its answer: which one it is, and what its answer must look like.
package struct Exchange: Sendable, BitwiseCopyable {
  let slot: UInt32
  let generation: UInt32

  /// Its place among the requests of its connection, modulo 2^32.
  let sequence: UInt32
  let options: Options

  struct Options: OptionSet, Sendable, BitwiseCopyable {
    let rawValue: UInt32

    /// The answer has no body: the request was HEAD.
    static let withoutBody = Options(rawValue: 1)
    /// The connection is closed after the answer.
    static let last = Options(rawValue: 2)
    /// The client speaks HTTP/1.0 and asked to keep the connection.
    static let saysKeepAlive = Options(rawValue: 4)
  }

  init(slot: UInt32, generation: UInt32, sequence: UInt32, options: Options) {
    self.slot = slot
    self.generation = generation
    self.sequence = sequence
    self.options = options
  }

  /// The same in 128 bits, for somebody to keep who need not know what it is.
  package var ticket: UInt128 {
    UInt128(
      _low: UInt64(slot) << 32 | UInt64(generation),
      _high: UInt64(sequence) << 32 | UInt64(options.rawValue))
  }

  /// The exchange that a ticket was made of.
  package init(ticket: UInt128) {
    let (low, high) = (ticket._low, ticket._high)
    slot = UInt32(truncatingIfNeeded: low >> 32)
    generation = UInt32(truncatingIfNeeded: low)
    sequence = UInt32(truncatingIfNeeded: high >> 32)
    options = Options(rawValue: UInt32(truncatingIfNeeded: high))
  }
}

/// A GET or HEAD of a known path, to be answered by the program.
package struct Request: Sendable {
  /// The path's place in the list that the server was given.
  package let route: Int

  /// What to answer it under.
  package let exchange: Exchange
}
