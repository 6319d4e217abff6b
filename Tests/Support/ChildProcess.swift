import Foundation
import Glibc
import Synchronization

/// A program that the suite started, with what it prints collected in files.
///
/// It starts with no blocked signals. Foundation's `Process` hands down those of the thread that
/// starts it, and on a worker thread SIGTERM is one of them.
final class ChildProcess: Sendable {
  let id: pid_t
  private let outputPath: String
  private let errorPath: String
  private let status = Mutex<Int32?>(nil)

  /// - Parameters:
  ///   - environment: all of it; nothing is inherited.
  ///   - folder: the working folder, in which the two files for what it prints are made, too.
  init(
    _ executable: String, _ arguments: [String], environment: [String: String], folder: String
  ) throws {
    let name = "\(UInt32.random(in: 0...UInt32.max))"
    outputPath = "\(folder)/output-\(name)"
    errorPath = "\(folder)/errors-\(name)"
    id = try spawn(
      // `env` changes the folder and then becomes the program.
      ["/usr/bin/env", "-C", folder, executable] + arguments, environment: environment,
      output: outputPath, errors: errorPath)
  }

  deinit {
    end()
  }

  /// What it has written on standard output so far.
  var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }

  /// What it has written on standard error so far.
  var errors: String { (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? "" }

  var isRunning: Bool { rawStatus == nil }

  /// The exit code, or 128 plus the signal that ended it, or nil while it runs.
  var exitCode: Int32? {
    guard let status = rawStatus else { return nil }
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
  }

  /// The status as the kernel gives it; once it is there, the process id is no longer ours.
  private var rawStatus: Int32? {
    status.withLock { known in
      var status: Int32 = 0
      if known == nil, unsafe waitpid(id, &status, WNOHANG) == id { known = status }
      return known
    }
  }

  func send(signal: Int32) {
    guard isRunning else { return }
    kill(id, signal)
  }

  func waitForExit(within limit: Duration = .seconds(10)) throws -> Int32 {
    try waitUntil("process \(id) exits", within: limit) { !isRunning }
    return exitCode ?? -1
  }

  /// Kills it if it still runs and waits until it is gone.
  func end() {
    send(signal: SIGKILL)
    _ = try? waitForExit()
  }
}

private func spawn(
  _ command: [String], environment: [String: String], output: String, errors: String
) throws -> pid_t {
  var actions = unsafe posix_spawn_file_actions_t()
  unsafe posix_spawn_file_actions_init(&actions)
  defer { unsafe posix_spawn_file_actions_destroy(&actions) }
  unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
  unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
  unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT, 0o600)

  var attributes = posix_spawnattr_t()
  unsafe posix_spawnattr_init(&attributes)
  defer { unsafe posix_spawnattr_destroy(&attributes) }
  var none = sigset_t()
  var all = sigset_t()
  unsafe sigemptyset(&none)
  unsafe sigfillset(&all)
  unsafe posix_spawnattr_setsigmask(&attributes, &none)
  unsafe posix_spawnattr_setsigdefault(&attributes, &all)
  unsafe posix_spawnattr_setflags(
    &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

  // Copies that live until the call returns; the kernel makes its own.
  let words = unsafe command.map { unsafe strdup($0) }
  let settings = unsafe environment.map { unsafe strdup("\($0.key)=\($0.value)") }
  defer { unsafe (words + settings).forEach { unsafe free($0) } }

  var id: pid_t = 0
  let code = unsafe posix_spawn(
    &id, command[0], &actions, &attributes, words + [nil], settings + [nil])
  guard code == 0 else {
    throw NeverHappened(description: "\(command) did not start: error \(code)")
  }
  return id
}
