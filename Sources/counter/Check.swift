import ArgumentParser
import CounterApp

/// Visits a counter as its clients do, and checks that it counts.
struct Check: ParsableCommand {
  @Argument(
    help: ArgumentHelp("Where the counter is: http://host[:port].", valueName: "address"))
  var address: String

  @Option(Settings.checkTimeout) var timeout: GivenFlag?

  @Option(
    help: ArgumentHelp(
      "A counter with a name to visit twice as well, which is made if it does not exist: blog/home.",
      valueName: "name"),
    transform: { try CounterClient.Name($0) })
  var counter: CounterClient.Name?

  static let configuration = CommandConfiguration(
    abstract: "Visit a counter twice, and see whether the number grows.",
    discussion: """
      Exit codes: 0 when /health answers as it should and the second visit has the greater number, \
      1 when not, 64 for bad usage. When the server does not let the counter with a name be there \
      (403, 404), the check says so and goes on.
      """,
    helpNames: .shortAndLong)

  func run() throws {
    let probe = Probe(
      of: try HTTPURL(address), limit: try settings.value(of: Settings.checkTimeout))
    try probe.checkHealth()
    print("/health answers as it should")
    let (first, second) = try probe.visitTwice()
    print("/ counted visit \(first), then \(second): \(Self.growth(first, second))")
    if let counter { try check(counter, probe) }
  }

  private func check(_ counter: CounterClient.Name, _ probe: Probe) throws {
    switch try probe.visitTwice(counter) {
    case .counted(let first, let second):
      print("\(counter.path) counted visit \(first), then \(second): \(Self.growth(first, second))")
    case .refused(let status, let reason):
      print("\(counter.path) was not checked, since the server answers \(status): \(reason)")
    }
  }

  /// In words by how much a number grew; the second is the greater one.
  private static func growth(_ first: Int64, _ second: Int64) -> String {
    first + 1 == second
      ? "exactly one more"
      : "\(UInt64(bitPattern: second &- first)) more, for others visited in between"
  }
}
