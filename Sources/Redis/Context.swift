import BasicContainers
import CHiredis
import System
import Glibc

/// hiredis's connection, as a value that is closed when it ends. All that is unsafe about hiredis
/// is here and in `Reply`.
@safe
struct Context: ~Copyable {
  private let context: UnsafeMutablePointer<redisContext>

  /// Starts to connect to a numeric address; `connectionError` tells when it is writable whether it
  /// did.
  static func connect(to address: String, port: UInt16) throws(Failure) -> Context {
    try unsafe Context(redisConnectNonBlock(address, CInt(port)))
  }

  /// Connects to a socket on this machine.
  static func connect(toSocket path: String) throws(Failure) -> Context {
    try unsafe Context(redisConnectUnixNonBlock(path))
  }

  /// - Parameter made: what hiredis made, which may hold an error, or be nil for lack of memory.
  private init(_ made: UnsafeMutablePointer<redisContext>?) throws(Failure) {
    guard let made = unsafe made else { throw .system(SystemError("connect", code: ENOMEM)) }
    if let failure = unsafe Self.failure(of: made) {
      // Sound: nobody else has it yet.
      unsafe redisFree(made)
      throw failure
    }
    unsafe context = unsafe made
    // hiredis leaves this out: a redis-server that is started meanwhile would hold the socket open.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit {
    // Sound: the context is this value's own, and nobody has freed it. This closes the socket too.
    unsafe redisFree(context)
  }

  /// The socket.
  var descriptor: CInt { unsafe context.pointee.fd }

  /// What came of connecting, once the socket is writable (connect(2)).
  var connectionError: Failure? {
    var code: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    // Sound: the kernel fills in the one value it is handed.
    guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else {
      return .system(SystemError("getsockopt"))
    }
    return code == 0 ? nil : .system(SystemError("connect", code: code))
  }

  /// Adds a command to what is to be sent.
  func append(_ command: borrowing Command) throws(Failure) {
    let status = unsafe command.bytes.span.withUnsafeBufferPointer { bytes in
      // Sound: hiredis copies the bytes before it returns.
      unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
        unsafe redisAppendFormattedCommand(context, characters.baseAddress, characters.count)
      }
    }
    try check(status)
  }

  /// Writes what the socket takes.
  ///
  /// - Returns: whether nothing is left.
  func write() throws(Failure) -> Bool {
    var isDone: CInt = 0
    try check(unsafe redisBufferWrite(context, &isDone))
    return isDone != 0
  }

  /// Reads what is there.
  func read() throws(Failure) {
    try check(unsafe redisBufferRead(context))
  }

  /// The next whole reply among what was read, or nil.
  func nextReply() throws(Failure) -> Reply? {
    var object: UnsafeMutableRawPointer?
    unsafe try check(redisGetReplyFromReader(context, &object))
    // Sound: the reader makes objects of this type unless told otherwise.
    guard let reply = unsafe object?.assumingMemoryBound(to: redisReply.self) else { return nil }
    return unsafe Reply(owning: reply)
  }

  private func check(_ status: CInt) throws(Failure) {
    guard status == REDIS_OK else { throw unsafe Self.failure(of: context) ?? .closed }
  }

  /// The error that hiredis noted in a context, if it did.
  @unsafe
  private static func failure(of context: UnsafeMutablePointer<redisContext>) -> Failure? {
    switch unsafe context.pointee.err {
    case 0: nil
    case REDIS_ERR_EOF: .closed
    case REDIS_ERR_IO: .system(SystemError("hiredis", code: errno))
    default: unsafe .garbled(message(of: context))
    }
  }

  @unsafe
  private static func message(of context: UnsafeMutablePointer<redisContext>) -> String {
    unsafe withUnsafePointer(to: &context.pointee.errstr) { text in
      // Sound: hiredis ends the text with a zero within the array.
      unsafe text.withMemoryRebound(to: CChar.self, capacity: 128) { unsafe String(cString: $0) }
    }
  }
}
