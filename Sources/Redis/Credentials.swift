import System

/// The user and the password to authenticate with, at a Redis or a sentinel (AUTH,
/// https://redis.io/docs/latest/commands/auth/).
package struct Credentials: Equatable, Sendable {
  /// The user; nil for the default user.
  package var user: String?

  /// The password; nil for none, and then nobody is authenticated.
  package var password: String?

  /// The file that the password was read from; it is read again whenever the password is refused.
  package var file: PasswordFile?

  package init(user: String? = nil, password: String? = nil) {
    self.user = user
    self.password = password
  }

  /// The command to authenticate; nil without a password.
  var command: Command? {
    password.map { Command(["AUTH"] + (user.map { [$0] } ?? []) + [$0]) }
  }

  /// Reads the file, if there is one: the password may have changed at the server and in the file. If
  /// the file cannot be read, the password stays. A pipe is not read again; the event loop would wait.
  mutating func readFileAgain() {
    guard let file, TextFile.isRegular(file.path) else { return }
    if let password = try? file.read() { self.password = password }
  }
}
