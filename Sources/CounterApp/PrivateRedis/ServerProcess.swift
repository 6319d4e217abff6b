import CLinux
import Glibc
import System

/// A redis-server that runs as a child of this process, and ends with it.
final class ServerProcess: Sendable {
  /// The process id.
  let id: pid_t
  private let watched: Descriptor

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - arguments: the path of the program, and its arguments.
  ///   - log: where its output goes.
  ///   - kept: the one descriptor that it inherits.
  ///   - watch: opens a descriptor of the process with an id, or returns -1.
  /// - Throws: when the program was not started, or cannot be watched. Then no process is left.
  init(
    _ arguments: [String], log: CInt, keeping kept: CInt,
    watch: (pid_t) -> CInt = clinux_watch_process
  ) throws(SystemError) {
    var pointers = unsafe arguments.map { unsafe strdup($0) } + [nil]
    // Sound: the list ends with nil, and the child has its own copy of it.
    defer { unsafe pointers.forEach { unsafe free($0) } }
    let child = try systemCall("fork") {
      unsafe clinux_spawn_bound(arguments[0], &pointers, log, kept)
    }
    let number = watch(child)
    guard number >= 0 else {
      let error = SystemError("pidfd_open")
      Self.killNew(child)
      throw error
    }
    id = child
    watched = Descriptor(owning: number)
  }

  /// Has the end of the process reported as an event.
  ///
  /// - Throws: when that cannot be done. Then the process is killed.
  func watch(_ poller: Poller, _ token: Token) throws(SystemError) {
    do throws(SystemError) {
      try poller.add(watched.number, .read, token)
    } catch {
      Self.killNew(id)
      throw error
    }
  }

  /// Sends a signal. The process must not have been reaped.
  func send(_ signal: CInt) { kill(id, signal) }

  /// Collects the status of the process if it has ended.
  ///
  /// - Returns: whether it has ended.
  func reap() -> Bool {
    // A process that is no child any more has been reaped.
    waitpid(id, nil, WNOHANG) != 0
  }

  /// Kills a process that has just been started, and waits until it is gone: a second redis-server
  /// on the same folder would destroy the count.
  private static func killNew(_ id: pid_t) {
    kill(id, SIGKILL)
    while waitpid(id, nil, 0) < 0, errno == EINTR {}
  }
}
