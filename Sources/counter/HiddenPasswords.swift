import Glibc

extension CommandLine {
  /// Overwrites the passwords of URLs in the arguments, which the kernel shows to every user of the
  /// machine (proc(5), cmdline). Copies of the arguments that were made before are not changed.
  static func hidePasswords() {
    for index in 1..<max(1, Int(argc)) {
      // Sound: there are argc arguments, each ends with a zero, and no other code uses them.
      guard let argument = unsafe unsafeArgv[index] else { continue }
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
