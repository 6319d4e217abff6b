import CLinux
import Glibc

/// The arguments of the program, as the kernel handed them over (execve(2)).
enum ProgramArguments {
  /// All of them but the program's name; nil for one that is not text in UTF-8.
  static var texts: [String?] {
    (1..<max(1, Int(clinux_argument_count()))).map { index in
      // Sound: there are as many arguments as the count says, and each ends with a zero.
      unsafe clinux_arguments()[index].flatMap { unsafe String(validatingCString: $0) }
    }
  }

  /// Overwrites the passwords of URLs, which the kernel shows to every user of the machine (proc(5),
  /// cmdline). Texts that were made before are not changed.
  static func hidePasswords() {
    for index in 1..<max(1, Int(clinux_argument_count())) {
      // Sound: there are as many arguments as the count says, each ends with a zero, and no other code
      // uses them.
      guard let argument = unsafe clinux_arguments()[index] else { continue }
      let length = unsafe strlen(argument)
      let bytes = unsafe UnsafeMutableRawBufferPointer(start: argument, count: length)
      guard let password = unsafe password(in: Array(bytes)) else { continue }
      for position in password { unsafe bytes[position] = UInt8(ascii: "*") }
    }
  }

  /// The position of the password in `scheme://[user:]password@host`, if there is one.
  static func password(in argument: [UInt8]) -> Range<Int>? {
    guard let at = argument.lastIndex(of: UInt8(ascii: "@")) else { return nil }
    guard let start = argument.firstRange(of: Array("://".utf8))?.upperBound, start < at else {
      return nil
    }
    let credentials = argument[start..<at]
    let colon = credentials.firstIndex(of: UInt8(ascii: ":"))
    return colon.map { ($0 + 1)..<at } ?? credentials.indices
  }
}
