import Logging
import System

/// Watches the file of tokens, and puts its tokens in force when it has changed. The main thread looks at
/// it every five seconds.
struct TokenFile: ~Copyable {
  private let path: String
  private let adminToken: String?
  private let store: TokenStore
  private let logger: Logger

  /// The state of the file that was read last; nil before the first look, so that a change between the start
  /// and that look is not missed.
  private var stamp: TextFile.Stamp?
  private var loggedReason: String?

  /// When the file is looked at next.
  private(set) var deadline: Instant

  private static var interval: Interval { .seconds(5) }

  init(_ path: String, adminToken: String?, _ store: TokenStore, _ logger: Logger) {
    self.path = path
    self.adminToken = adminToken
    self.store = store
    self.logger = logger
    // What is no ordinary file, such as a pipe, was read whole at the start.
    deadline = TextFile.isRegular(path) ? .now + Self.interval : .never
  }

  /// Reads the file if it has changed. A file that cannot be used leaves the old tokens in force, and is
  /// read again until it can.
  mutating func endRound(_ now: Instant) {
    guard now >= deadline else { return }
    deadline = now + Self.interval
    let stamp = TextFile.stamp(path)
    guard stamp != self.stamp || loggedReason != nil else { return }
    do throws(Tokens.FileError) {
      try checkFile(stamp)
      let tokens = try Tokens(adminToken: adminToken, file: path)
      if tokens != store.current || loggedReason != nil {
        store.replace(tokens)
        logger.notice("--tokens: \(path) was read again")
        if tokens.hasWeak { logger.warning("\(Tokens.weakness)") }
      }
      loggedReason = nil
    } catch {
      if stamp != self.stamp || loggedReason == nil {
        logger.error("--tokens: \(error.reason); the old tokens stay in force")
      }
      loggedReason = error.reason
    }
    self.stamp = stamp
  }

  /// Checks that the file can be read without waiting, and that nobody has just begun to write it.
  private func checkFile(_ stamp: TextFile.Stamp?) throws(Tokens.FileError) {
    guard let stamp else { return }
    guard stamp.isRegular else { throw Tokens.FileError(reason: "\(path) is no ordinary file") }
    guard stamp.size > 0 else { throw Tokens.FileError(reason: "\(path) is empty") }
  }
}
