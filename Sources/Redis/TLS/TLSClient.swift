import System

/// Begins the TLS sessions of a connection. Before each, it reads the files again if one has changed.
///
/// A session is not resumed, since the certificate of the server is checked in a full handshake only.
final class TLSClient {
  private let files: TLSFiles
  private var context: TLSContext?

  /// The state of the files that the context was made from.
  private var stamps: [TextFile.Stamp?] = []

  init(_ files: TLSFiles) {
    self.files = files
  }

  /// Begins a session with a server.
  ///
  /// - Parameters:
  ///   - host: the name or the numeric address that the server's certificate has to be for.
  ///   - socket: a descriptor that stays open for as long as the session is used.
  /// - Throws: when a file cannot be used and none could be before. Otherwise what was read before stays
  ///   in use: a certificate and its key are not replaced at the same moment.
  func makeSession(with host: String, on socket: CInt) throws(RedisError) -> TLSSession {
    let stamps = files.stamps
    do throws(TLSFiles.Failure) {
      if context == nil || stamps != self.stamps {
        context = try TLSContext(files)
        self.stamps = stamps
      }
    } catch {
      if context == nil { throw .tls(.unusableFile(error)) }
    }
    guard let context else { preconditionFailure("it was made") }
    return context.makeSession(with: host, on: socket)
  }
}
