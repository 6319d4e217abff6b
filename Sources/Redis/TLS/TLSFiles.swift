import System

/// The files, in PEM, that encrypted connections to Redis are checked and made with. Each may be replaced
/// while the program runs, as a mounted Secret of Kubernetes is.
package struct TLSFiles: Equatable, Sendable {
  /// The path of the certificates that are trusted; nil for those that the system trusts.
  package var authorities: String?

  /// The path of the client's certificate, with the certificates between it and its authority behind it;
  /// nil for a client without one.
  package var certificate: String?

  /// The path of the private key of that certificate.
  package var key: String?

  /// One of the files, by the flag that names it.
  package enum Role: String, Sendable {
    case authorities = "--redis-ca"
    case certificate = "--redis-cert"
    case key = "--redis-key"
  }

  /// Why a file cannot be used.
  package struct Failure: Error, Equatable, Sendable {
    package let role: Role
    package let reason: String
  }

  /// The longest file in bytes; a longer one is something else.
  static var longest: Int { 1 << 20 }

  package init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) {
    self.authorities = authorities
    self.certificate = certificate
    self.key = key
  }

  /// Reads the files, to see whether they can be used.
  package func check() throws(Failure) {
    _ = try TLSContext(self)
  }

  /// What tells one state of the files from another. Only ordinary files have one: a pipe is not read
  /// again, the event loop would wait.
  var stamps: [TextFile.Stamp?] {
    [authorities, certificate, key].map { path in
      path.flatMap(TextFile.stamp).flatMap { $0.isRegular ? $0 : nil }
    }
  }

  /// The content of a file.
  static func read(_ path: String, _ role: Role) throws(Failure) -> [UInt8] {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try TextFile.bytes(path, atMost: longest + 1)
    } catch {
      throw Failure(role: role, reason: "the file cannot be read: \(error.reason)")
    }
    guard !bytes.isEmpty else { throw Failure(role: role, reason: "the file is empty") }
    guard bytes.count <= longest else {
      throw Failure(role: role, reason: "the file is longer than \(longest >> 20) MiB")
    }
    return bytes
  }
}
