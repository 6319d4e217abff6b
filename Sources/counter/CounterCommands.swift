import ArgumentParser
import CounterApp

// The commands that read and change counters of a running server.

/// The settings that all of them have.
struct ClientOptions: ParsableArguments {
  @Option(Settings.server) var server: GivenFlag?
  @Option(Settings.clientToken) var token: GivenFlag?
  @Option(Settings.checkTimeout) var timeout: GivenFlag?

  var client: CounterClient { get throws { try SettingSource(of: self).counterClient() } }
}

/// The name of a counter, as an argument.
private func nameHelp() -> ArgumentHelp {
  ArgumentHelp("The counter: namespace/key.", valueName: "counter")
}

private let exitCodes = "Exit codes: 0 when it is done, 1 when not, 64 for bad usage."

struct Get: ParsableCommand {
  @Argument(help: nameHelp()) var counter: String
  @OptionGroup var options: ClientOptions

  static let configuration = CommandConfiguration(
    abstract: "Print the number of a counter.", discussion: exitCodes, helpNames: .shortAndLong)

  func run() throws {
    print(try options.client.get(CounterClient.Name(counter)))
  }
}

struct Hit: ParsableCommand {
  @Argument(help: nameHelp()) var counter: String
  @Option(Settings.amount, parsing: .unconditional) var amount: GivenFlag?
  @Option(Settings.idempotencyKey) var idempotencyKey: GivenFlag?
  @OptionGroup var options: ClientOptions

  static let configuration = CommandConfiguration(
    abstract: "Add to a counter, and print its number.", discussion: exitCodes,
    helpNames: .shortAndLong)

  func run() throws {
    let settings = SettingSource(of: self)
    let number = try options.client.hit(
      CounterClient.Name(counter), by: try settings.given(Settings.amount),
      idempotencyKey: try settings.given(Settings.idempotencyKey))
    print(number)
  }
}

struct Set: ParsableCommand {
  @Argument(help: nameHelp()) var counter: String
  // So that a negative number is not taken for a flag.
  @Argument(parsing: .allUnrecognized, help: ArgumentHelp("The number.", valueName: "value"))
  var values: [String]
  @Flag(name: .customLong("create"), help: "Fail if the counter exists.") var isNew = false
  @OptionGroup var options: ClientOptions

  static let configuration = CommandConfiguration(
    abstract: "Set a counter, and print its number.", discussion: exitCodes,
    helpNames: .shortAndLong)

  func run() throws {
    guard values.count == 1, let value = Int64(values[0]) else {
      throw ValidationError("<value> is one integer of 64 bits")
    }
    print(try options.client.set(CounterClient.Name(counter), to: value, isNew: isNew))
  }
}

struct Delete: ParsableCommand {
  @Argument(help: nameHelp()) var counter: String
  @OptionGroup var options: ClientOptions

  static let configuration = CommandConfiguration(
    abstract: "Remove a counter, and print its last number.", discussion: exitCodes,
    helpNames: .shortAndLong)

  func run() throws {
    print(try options.client.delete(CounterClient.Name(counter)))
  }
}

struct List: ParsableCommand {
  @Argument(help: "The namespace.") var namespace: String
  @OptionGroup var options: ClientOptions

  static let configuration = CommandConfiguration(
    abstract: "Print the counters of a namespace, a line each: number, tab, key.",
    discussion: exitCodes, helpNames: .shortAndLong)

  func run() throws {
    try options.client.list(namespace) { page in print(page, terminator: "") }
  }
}
