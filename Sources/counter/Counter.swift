import ArgumentParser
import CounterApp
import Glibc

/// The command line: the server, which is what runs when nothing else is named, and what looks at a
/// running one.
struct Counter: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "counter",
    abstract: "A web server that answers every visit with its number, counted in Redis.",
    version: "counter \(Application.version)",
    subcommands: [Serve.self, Health.self, Check.self],
    defaultSubcommand: Serve.self,
    // So that --help alone is left to the server, and lists its flags.
    helpNames: [])
}

/// How the program ends: its exit code, and in one line why.
struct Ending: Error {
  let code: Int32
  let reason: String?

  init(_ code: Int32, _ reason: String? = nil) {
    self.code = code
    self.reason = reason
  }
}

extension Counter {
  /// Runs what the arguments ask for.
  ///
  /// - Returns: the program's exit code.
  static func start(_ arguments: [String]) -> Int32 {
    do {
      var command = try parseAsRoot(arguments)
      try command.run()
      return EX_OK
    } catch let ending as Ending {
      return end(ending)
    } catch {
      return end(parsing: error)
    }
  }

  static func environment(_ name: String) -> String? {
    // Sound: nothing in this program changes the environment.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// Ends after the arguments could not be parsed, or were a call for help.
  private static func end(parsing error: any Error) -> Int32 {
    guard exitCode(for: error) != .success else {
      print(fullMessage(for: error))
      return EX_OK
    }
    return end(Ending(EX_USAGE, "\(message(for: error)) (see counter --help)"))
  }

  /// Says in one line on standard error why the program ends.
  private static func end(_ ending: Ending) -> Int32 {
    guard let reason = ending.reason else { return ending.code }
    var line = "counter: \(reason.split(separator: "\n").joined(separator: " "))\n"
    line.withUTF8 { line in
      // Sound: the kernel reads the line's own bytes during the call.
      _ = unsafe write(STDERR_FILENO, line.baseAddress, line.count)
    }
    return ending.code
  }
}
