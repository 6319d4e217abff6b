import CHiredis
import System

/// A reply of Redis to a command, in hiredis's own storage.
@safe
package struct Reply: ~Copyable {
  private let object: UnsafeMutablePointer<redisReply>

  /// Becomes the owner of an object that hiredis made.
  init(owning object: UnsafeMutablePointer<redisReply>) {
    unsafe self.object = unsafe object
  }

  deinit {
    // Sound: the object is this value's own, and this is its only end.
    unsafe freeReplyObject(object)
  }

  /// Whether Redis refused the command.
  var isError: Bool { unsafe object.pointee.type == REDIS_REPLY_ERROR }

  /// The text of an error, which starts with its kind in capitals, or the first 512 bytes of it; nil when the
  /// reply is no error.
  package var error: String? {
    isError ? String(copying: bytes.extracting(first: min(bytes.count, 512))) : nil
  }

  /// An integer, or the integer that a text spells in full; nil when the reply is neither.
  package var integer: Int64? {
    switch unsafe object.pointee.type {
    case REDIS_REPLY_INTEGER: unsafe object.pointee.integer
    case REDIS_REPLY_STRING: Int64(text)
    default: nil
    }
  }

  /// The bytes of a bulk string, a status or an error; none for other kinds.
  package var bytes: Span<UInt8> {
    @_lifetime(borrow self)
    get {
      // Sound: hiredis keeps `len` bytes there for as long as the object lives, which this value owns;
      // for other kinds the pointer is nil.
      let buffer = unsafe UnsafeRawBufferPointer(
        start: object.pointee.str, count: object.pointee.str == nil ? 0 : object.pointee.len)
      let span = unsafe Span<UInt8>(_unsafeBytes: buffer)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The same bytes, as UTF-8.
  package var text: String { String(copying: bytes) }

  /// Whether there is no value.
  var isNil: Bool { unsafe object.pointee.type == REDIS_REPLY_NIL }

  /// How many elements an array has; 0 for other kinds.
  var elementCount: Int {
    unsafe object.pointee.type == REDIS_REPLY_ARRAY ? Int(object.pointee.elements) : 0
  }

  /// The text of an element of an array, as UTF-8; nil when the reply has no such element, or it is no text.
  func text(at index: Int) -> String? {
    guard index < elementCount, let element = unsafe object.pointee.element[index],
      let start = unsafe element.pointee.str
    else { return nil }
    // Sound: as for `bytes`; the elements live as long as the array.
    let buffer = unsafe UnsafeRawBufferPointer(start: start, count: element.pointee.len)
    return unsafe String(decoding: buffer, as: UTF8.self)
  }
}
