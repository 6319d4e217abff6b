import System
import Redis

/// What makes a batch count once, however often it is sent: who sends it, and which of the sender's
/// batches it is.
struct Claim: ~Copyable {
  private let counter: String

  /// The key that the writer's last counted batch is recorded under. It shares the counter's hash
  /// tag, so that both are on one node of a Redis Cluster.
  private let key: String

  /// How the command of each batch begins.
  private let opening: Command

  /// Puts off the record's expiry.
  private let renewal: Command

  /// The number of the last batch that was sent; none is ever used for two.
  private(set) var sequence: UInt64 = 0

  /// How long a record lives: far longer than a copy of a command can be on its way, stuck in some
  /// buffer, and still arrive.
  static var life: UInt64 { 24 * 60 * 60 * 1000 }

  /// A writer of its own, with an identity that nobody else ever has.
  init(counter: String) {
    var random = SystemRandomNumberGenerator()
    let identity = UInt128(_low: random.next(), _high: random.next())
    self.counter = counter
    key = "{\(counter)}:claim:\(String(identity, radix: 16))"
    opening = Self.opening("EVALSHA", ClaimScript.digest, counter, key)
    renewal = Command(["PEXPIRE", key, String(Self.life)])
  }

  /// What a connection begins with.
  var registration: Command {
    var ping = Command(["PING"])
    ping.pipeline(Command(["EVAL", ClaimScript.registration, "1", key, String(Self.life)]))
    return ping
  }

  /// Goes on to the next batch.
  mutating func advance() {
    sequence += 1
  }

  /// The command that adds the current batch.
  ///
  /// - Parameter withScript: sends the whole script, for a Redis that has not seen it yet.
  func command(adding amount: Int, withScript: Bool) -> Command {
    var command =
      withScript
      ? Self.opening("EVAL", ClaimScript.text, counter, key) : Command(startingLike: opening)
    command.append(sequence)
    command.append(UInt64(amount))
    command.pipeline(renewal)
    return command
  }

  private static func opening(
    _ name: String, _ script: String, _ counter: String, _ key: String
  ) -> Command {
    var command = Command(argumentCount: 7)
    for argument in [name, script, "2", counter, key] { command.append(argument) }
    return command
  }
}
