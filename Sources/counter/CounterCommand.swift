import ArgumentParser
import CounterApp
import Glibc
import System

/// The command line: the server, which runs when no other command is named, and the commands that
/// look at a running server.
struct CounterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "counter",
    abstract: "A web server that answers every visit with its number, counted in Redis.",
    version: "counter \(Application.version)",
    subcommands: [
      Serve.self, Health.self, Check.self, Get.self, Hit.self, Set.self, Delete.self, List.self,
    ],
    defaultSubcommand: Serve.self,
    // So that --help without a command is the help of the server, and lists its flags.
    helpNames: [])
}

extension CounterCommand {
  /// Runs the command that the arguments name.
  ///
  /// - Parameter arguments: nil for one that is not text in UTF-8.
  /// - Returns: the program's exit code.
  static func start(_ arguments: [String?]) -> Int32 {
    do {
      let texts = try arguments.enumerated().map { index, text in
        guard let text else { throw ValidationError("argument \(index + 1) is not UTF-8") }
        return text
      }
      var command = try parseAsRoot(texts)
      try command.run()
      return EX_OK
    } catch let code as ExitCode {
      return code.rawValue
    } catch let error where exitCode(for: error) == .success {
      print(fullMessage(for: error))
      return EX_OK
    } catch {
      let (code, reason) = describe(error)
      var line = "counter: \(reason.split(separator: "\n").joined(separator: " "))\n"
      line.withUTF8 { line in
        // Sound: the kernel reads the line's own bytes during the call.
        _ = unsafe write(STDERR_FILENO, line.baseAddress, line.count)
      }
      return code
    }
  }

  /// The exit code that stands for an error, and the reason.
  private static func describe(_ error: any Error) -> (Int32, String) {
    switch error {
    case let error as SettingError: (EX_USAGE, error.description)
    case let error as AddressError: (EX_USAGE, "the address: \(error.reason)")
    case let error as Probe.Failure: (EXIT_FAILURE, error.description)
    case let error as Application.Failure: (EX_UNAVAILABLE, error.description)
    case let error as SystemError: (EX_OSERR, error.description)
    default: (EX_USAGE, "\(message(for: error)) (see counter --help)")
    }
  }
}
