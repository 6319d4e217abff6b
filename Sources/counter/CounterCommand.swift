import ArgumentParser
import CounterApp
import Glibc

/// The command line: the server, which runs when no other command is named, and the commands that
/// look at a running server.
struct CounterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "counter",
    abstract: "A web server that answers every visit with its number, counted in Redis.",
    version: "counter \(Application.version)",
    subcommands: [Serve.self, Health.self, Check.self],
    defaultSubcommand: Serve.self,
    // So that --help without a command is the help of the server, and lists its flags.
    helpNames: [])
}

/// The exit code of the program, and in one line the reason.
struct Exit: Error {
  let code: Int32
  let reason: String?

  init(_ code: Int32, _ reason: String? = nil) {
    self.code = code
    self.reason = reason
  }
}

extension CounterCommand {
  /// Runs the command that the arguments name.
  ///
  /// - Returns: the program's exit code.
  static func start(_ arguments: [String]) -> Int32 {
    do {
      var command = try parseAsRoot(arguments)
      try command.run()
      return EX_OK
    } catch let exit as Exit {
      return end(exit)
    } catch {
      return end(parsing: error)
    }
  }

  /// Ends after the arguments could not be parsed, or asked for help.
  private static func end(parsing error: any Error) -> Int32 {
    guard exitCode(for: error) != .success else {
      print(fullMessage(for: error))
      return EX_OK
    }
    return end(Exit(EX_USAGE, "\(message(for: error)) (see counter --help)"))
  }

  /// Writes the reason to standard error, in one line.
  private static func end(_ exit: Exit) -> Int32 {
    guard let reason = exit.reason else { return exit.code }
    var line = "counter: \(reason.split(separator: "\n").joined(separator: " "))\n"
    line.withUTF8 { line in
      // Sound: the kernel reads the line's own bytes during the call.
      _ = unsafe write(STDERR_FILENO, line.baseAddress, line.count)
    }
    return exit.code
  }
}
