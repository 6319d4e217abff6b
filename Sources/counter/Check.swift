import ArgumentParser
import CounterApp

/// Visits a counter as its clients do, and checks that it counts.
struct Check: ParsableCommand {
  @Argument(
    help: ArgumentHelp("Where the counter is: http://host[:port].", valueName: "address"))
  var address: String

  @Option(Settings.checkTimeout) var timeout: GivenFlag?

  static let configuration = CommandConfiguration(
    abstract: "Visit a counter twice, and see whether the number grows.",
    discussion: """
      Exit codes: 0 when /health answers as it should and the second visit has the greater number, \
      1 when not, 64 for bad usage.
      """,
    helpNames: .shortAndLong)

  func run() throws {
    let probe = Probe(
      of: try HTTPURL(address), limit: try settings.value(of: Settings.checkTimeout))
    try probe.checkHealth()
    print("/health answers as it should")
    let (first, second) = try probe.visitTwice()
    // The second number is the greater one.
    let growth =
      first + 1 == second
      ? "exactly one more"
      : "\(UInt64(bitPattern: second &- first)) more, for others visited in between"
    print("/ counted visit \(first), then \(second): \(growth)")
  }
}
