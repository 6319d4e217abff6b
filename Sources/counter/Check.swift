import ArgumentParser
import CounterApp
import Glibc

/// Visits a counter as its clients do, and checks that it counts.
struct Check: ParsableCommand {
  @Argument(
    help: ArgumentHelp("Where the counter is: http://host[:port].", valueName: "address"))
  var address: String

  @Option(Settings.checkTimeout) var timeout: String?

  static let configuration = CommandConfiguration(
    abstract: "Visit a counter twice, and see whether the number grows.",
    discussion: """
      Exit codes: 0 when /health answers as it should and the second visit has the greater number, \
      1 when not, 64 for bad usage.
      """,
    helpNames: .shortAndLong)

  func run() throws {
    do {
      let settings = SettingSource([(Settings.checkTimeout.declaration, timeout)])
      var probe = try Probe(of: try HTTPURL(address), limit: try settings.checkTimeout())
      try probe.checkHealth()
      print("/health answers as it should")
      let (first, second) = try probe.visitTwice()
      print("/ counted visit \(first), then \(second): \(Self.growth(second - first))")
    } catch let error as HTTPURL.Malformed {
      throw Exit(EX_USAGE, "the address: \(error.reason)")
    } catch let error as SettingError {
      throw Exit(EX_USAGE, error.description)
    } catch let error as Probe.Failure {
      throw Exit(EXIT_FAILURE, error.description)
    }
  }

  private static func growth(_ growth: Int64) -> String {
    growth == 1 ? "exactly one more" : "\(growth) more, for others visited in between"
  }
}
