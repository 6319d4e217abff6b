import BasicContainers
import CHiredis
import System

/// Reads replies of Redis from a stream of bytes, with hiredis's reader (RESP,
/// https://redis.io/docs/latest/develop/reference/protocol-spec/). The unsafe code about hiredis is in
/// here and in `Reply`.
@safe
struct RESPReader: ~Copyable {
  private let reader: UnsafeMutablePointer<redisReader>
  private var input = UniqueArray<UInt8>(minimumCapacity: readSize)

  /// How many bytes were read since the last reply.
  private var unparsedCount = 0

  /// Whether any bytes were read.
  private(set) var hasInput = false

  /// How many bytes one call reads at most.
  private static var readSize: Int { 4096 }

  /// The longest reply in bytes; a longer one is an error of the server.
  private static var longestReply: Int { 1 << 20 }

  /// The first byte of the only record that a server of TLS answers other bytes with (RFC 8446 section
  /// 5.1); no reply of Redis begins with it.
  private static var tlsAlert: UInt8 { 21 }

  init() {
    // The call fails only when there is no memory left, and then nothing else would work either.
    guard let made = unsafe redisReaderCreate() else { fatalError("out of memory") }
    // Sound: the functions are never freed.
    unsafe made.pointee.fn = unsafe limitedFunctions
    unsafe reader = unsafe made
  }

  deinit {
    // Sound: the reader is this value's own, and this is its only end.
    unsafe redisReaderFree(reader)
  }

  /// Reads the bytes that have arrived.
  ///
  /// - Returns: whether there were any.
  /// - Throws: `closed` at the end of the stream.
  mutating func readInput(from transport: borrowing Transport) throws(RedisError) -> Bool {
    input.removeAll(keepingCapacity: true)
    var received: Int?
    try input.append(addingCount: Self.readSize) { output throws(RedisError) in
      received = try transport.receive(into: &output)
    }
    guard let received else { return false }
    guard received > 0 else { throw .closed }
    hasInput = true
    unparsedCount += input.count
    guard unparsedCount <= Self.longestReply else { throw .malformedReply("it is too long") }
    try check(
      unsafe input.span.withUnsafeBufferPointer { bytes in
        // Sound: hiredis copies the bytes before it returns.
        unsafe bytes.withMemoryRebound(to: CChar.self) {
          unsafe redisReaderFeed(reader, $0.baseAddress, $0.count)
        }
      })
    return true
  }

  /// The next reply that has arrived in full, or nil.
  mutating func nextReply() throws(RedisError) -> Reply? {
    var object: UnsafeMutableRawPointer?
    try check(unsafe redisReaderGetReply(reader, &object))
    // Sound: a reader makes objects of this type unless it was made with other functions.
    guard let reply = unsafe object?.assumingMemoryBound(to: redisReply.self) else { return nil }
    unparsedCount = 0
    return unsafe Reply(owning: reply)
  }

  private func check(_ status: CInt) throws(RedisError) {
    guard status != REDIS_OK else { return }
    if unsafe reader.pointee.err == REDIS_ERR_OOM {
      throw .malformedReply("it has too many elements")
    }
    if input.count > 0, input[0] == Self.tlsAlert { throw .tls(.required) }
    throw unsafe .malformedReply(
      withUnsafePointer(to: &reader.pointee.errstr) { text in
        // Sound: hiredis ends the text with a zero within the array.
        unsafe text.withMemoryRebound(to: CChar.self, capacity: 128) { unsafe String(cString: $0) }
      })
  }
}

/// The most elements of an array. One of more would be longer than the longest reply.
private let mostElements = 1 << 18

/// The functions with which hiredis makes objects.
private nonisolated(unsafe) let defaultFunctions = {
  guard let reader = unsafe redisReaderCreate(), let functions = unsafe reader.pointee.fn else {
    fatalError("out of memory")
  }
  // Sound: the reader is of no use any more; the functions are a constant of hiredis.
  unsafe redisReaderFree(reader)
  return unsafe functions
}()

/// The same, but for arrays of too many elements. hiredis would get memory for all of them when it reads how many
/// there are, and look at all of it when the connection is closed.
private nonisolated(unsafe) let limitedFunctions = {
  let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
  unsafe functions.initialize(to: defaultFunctions.pointee)
  unsafe functions.pointee.createArray = { task, count in
    guard count <= mostElements else { return nil }
    return unsafe defaultFunctions.pointee.createArray(task, count)
  }
  return unsafe functions
}()
