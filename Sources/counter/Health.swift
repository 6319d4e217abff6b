import ArgumentParser
import CounterApp

/// Checks the counter on this machine.
struct Health: ParsableCommand {
  @Option(Settings.host) var host: GivenFlag?
  @Option(Settings.port) var port: GivenFlag?

  static let configuration = CommandConfiguration(
    abstract: "Ask the counter on this machine whether it is well.",
    discussion: """
      Takes the address and port that the counter was started with, from the same flags or \
      variables.

      Exit codes: 0 when it answers /health as it should within 2 seconds, 1 when it does not, \
      64 for bad usage.
      """,
    helpNames: .shortAndLong)

  func run() throws {
    let target = try settings.healthTarget()
    try Probe.checkHealth(host: target.host, port: target.port)
  }
}
