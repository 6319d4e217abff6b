package import System

/// A file that holds the password for Redis. It may be replaced while the program runs, as a mounted
/// Secret of Kubernetes is.
package struct PasswordFile: Equatable, Sendable {
  package let path: String

  /// The longest password, in bytes; a longer file is something else.
  private static var longest: Int { 4096 }

  package init(_ path: String) {
    self.path = path
  }

  /// Reads the password: the content of the file, without one line ending (LF, CR LF or CR) at
  /// its end.
  package func read() throws(AddressError) -> String {
    var bytes: [UInt8]
    do throws(SystemError) {
      bytes = try TextFile.bytes(path, atMost: Self.longest + 2)
    } catch {
      throw AddressError("the file cannot be read: \(error.reason)")
    }
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard !bytes.isEmpty else { throw AddressError("the file is empty") }
    guard bytes.count <= Self.longest else {
      throw AddressError("the file is longer than any password")
    }
    guard let password = String(validating: bytes, as: UTF8.self) else {
      throw AddressError("the file is not text in UTF-8")
    }
    return password
  }
}
