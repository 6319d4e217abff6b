import CLinux
import Glibc

/// A system call that failed: its name and its errno (errno(3)).
public struct SystemError: Error, Equatable, CustomStringConvertible {
  /// The name of the call, as in section 2 of the manual.
  public let call: StaticString

  /// The value of `errno` right after it.
  public let code: CInt

  /// Takes what the failed call left in `errno`.
  public init(_ call: StaticString) {
    self.init(call, code: errno)
  }

  /// A failure that tells its code in another way.
  public init(_ call: StaticString, code: CInt) {
    self.call = call
    self.code = code
  }

  /// What `strerror(3)` says of the code.
  public var reason: String {
    // Sound: the text is a constant of the C library.
    guard let text = unsafe clinux_error_text(code) else { return "unknown error \(code)" }
    return unsafe String(cString: text)
  }

  /// The call and the reason, for people.
  public var description: String { "\(call): \(reason)" }

  /// Compares the codes and the calls' names.
  public static func == (left: Self, right: Self) -> Bool {
    left.code == right.code && left.call.description == right.call.description
  }
}

/// Makes a system call that says -1 when it fails, again for as long as a signal interrupts it.
///
/// - Returns: what the call returned, never negative.
/// - Throws: its errno.
@inline(__always)
public func systemCall<Result: SignedInteger>(
  _ name: StaticString, _ call: () -> Result
) throws(SystemError) -> Result {
  while true {
    let result = call()
    if result >= 0 { return result }
    let error = SystemError(name)
    guard error.code == EINTR else { throw error }
  }
}
