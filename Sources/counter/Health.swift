import ArgumentParser
import CounterApp
import Glibc

/// Asks the counter on this machine whether it is well.
struct Health: ParsableCommand {
  @Option(
    help: ArgumentHelp(
      "The port that the counter listens on. (environment: PORT; default: 8000)",
      valueName: "number"))
  var port: String?

  static let configuration = CommandConfiguration(
    abstract: "Ask the counter on this machine whether it is well.",
    discussion: """
      Exit codes: 0 when it answers /health as it should within 2 seconds, 1 when it does not, \
      64 for bad usage.
      """,
    helpNames: .shortAndLong)

  func run() throws {
    do {
      let port = try Configuration.port(flag: port, environment: Counter.environment)
      try Probe.checkHealth(ofPort: port)
    } catch let error as Configuration.BadSetting {
      throw Ending(EX_USAGE, error.description)
    } catch let error as Probe.Failure {
      throw Ending(EXIT_FAILURE, error.description)
    }
  }
}
