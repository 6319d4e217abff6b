import CHiredis

/// What Redis answered to a command, in hiredis's own storage.
@safe
package struct Reply: ~Copyable {
  private let object: UnsafeMutablePointer<redisReply>

  /// Takes over an object that hiredis made.
  init(owning object: UnsafeMutablePointer<redisReply>) {
    unsafe self.object = unsafe object
  }

  deinit {
    // Sound: the object is this value's own, and nobody has freed it.
    unsafe freeReplyObject(object)
  }

  /// The text of an error, which starts with its kind in capitals; nil when it is none.
  package var error: String? {
    unsafe object.pointee.type == REDIS_REPLY_ERROR ? text : nil
  }

  /// An integer, or the integer that a text spells in full; nil when it is something else.
  package var integer: Int64? {
    switch unsafe object.pointee.type {
    case REDIS_REPLY_INTEGER: unsafe object.pointee.integer
    case REDIS_REPLY_STRING: Int64(text)
    default: nil
    }
  }

  /// The bytes of a text, status or error, as UTF-8; empty for other kinds.
  package var text: String {
    guard let start = unsafe object.pointee.str else { return "" }
    // Sound: hiredis keeps `len` bytes there for as long as the object lives.
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: object.pointee.len)
    return unsafe String(decoding: bytes, as: UTF8.self)
  }
}
