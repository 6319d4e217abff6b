/// A request that is complete, for the program to respond to.
///
/// Its ranges refer to the server's `requestBytes`, which belong to it until `nextRequest` is called
/// again.
package struct Request: Sendable {
  /// The request's place, to respond to now or later.
  package let exchange: Exchange

  /// The index of its route in the list that the server was given.
  package let route: Int

  /// A method that the route allows.
  package let method: Method

  /// Whether the path consists of letters, digits, and `/-._` only.
  package let hasPlainPath: Bool

  /// Whether there is more than one Accept field.
  package let hasSeveralAccepts: Bool

  /// The segments of the path that stand for the parameters of the route, in their order,
  /// percent-encoded.
  package let parameters: RouteMatch.Parameters

  /// What stands behind the question mark of the target, percent-encoded; empty without one.
  package let query: Range<Int>

  /// The request line and the header fields, for `HeaderLines`.
  package let header: Range<Int>

  /// The value of the first Accept field with the blanks around it; empty without one.
  package let accept: Range<Int>

  /// The body, decoded; empty unless the route asks for bodies.
  package let body: Range<Int>
}

/// A request that has no response yet: its place, and what its response must look like.
package struct Exchange: Sendable, BitwiseCopyable {
  /// The slot of its connection.
  package let slot: UInt32
  let generation: UInt32

  /// Its place among the requests of its connection, modulo 2^32.
  package let sequence: UInt32
  let options: Options

  struct Options: OptionSet, Sendable, BitwiseCopyable {
    let rawValue: UInt8

    /// The response has no body: the request was HEAD.
    static let withoutBody = Options(rawValue: 1)
    /// The connection is closed after the response.
    static let last = Options(rawValue: 2)
    /// The client speaks HTTP/1.0 and asked to keep the connection.
    static let confirmsKeepAlive = Options(rawValue: 4)
  }

  init(slot: UInt32, generation: UInt32, sequence: UInt32, options: Options) {
    self.slot = slot
    self.generation = generation
    self.sequence = sequence
    self.options = options
  }

  /// The same for a response that has no body whatever the method is.
  var withoutBody: Exchange {
    Exchange(
      slot: slot, generation: generation, sequence: sequence,
      options: options.union(.withoutBody))
  }

  /// The same as an opaque token of 128 bits, for a module that does not know exchanges. The highest 24
  /// bits are 0, and free for the program.
  package var ticket: UInt128 {
    let place = UInt64(slot) << 32 | UInt64(generation)
    let response = UInt64(options.rawValue) << 32 | UInt64(sequence)
    return UInt128(response) << 64 | UInt128(place)
  }

  /// The exchange that a ticket was made of.
  package init(ticket: UInt128) {
    let place = UInt64(truncatingIfNeeded: ticket)
    let response = UInt64(truncatingIfNeeded: ticket >> 64)
    slot = UInt32(truncatingIfNeeded: place >> 32)
    generation = UInt32(truncatingIfNeeded: place)
    sequence = UInt32(truncatingIfNeeded: response)
    options = Options(rawValue: UInt8(truncatingIfNeeded: response >> 32))
  }
}

extension Exchange.Options {
  /// What the header of a request says of its response.
  @inline(__always)
  init(_ head: RequestHead) {
    self = head.method == .head ? .withoutBody : []
    if !head.isPersistent {
      insert(.last)
    } else if head.minorVersion == 0 {
      insert(.confirmsKeepAlive)
    }
  }
}
