import CLinux
import Glibc
import System

/// A redis-server that runs as a child of this process, and ends with it.
final class ServerProcess: Sendable {
  let id: pid_t
  private let watched: Descriptor

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - arguments: the path of the program, and its arguments.
  ///   - log: where its output goes.
  ///   - kept: the one descriptor that it inherits.
  ///   - poller: reports the end of the process, as an event with `token`.
  ///   - watch: opens a descriptor of the process with an id, or returns -1.
  /// - Throws: when the program was not started, or its end cannot be reported. Then no process is
  ///   left: a second redis-server on the same folder would destroy the count.
  init(
    _ arguments: [String], log: CInt, keeping kept: CInt, _ poller: Poller, _ token: Token,
    watch: (pid_t) -> CInt = clinux_watch_process
  ) throws(SystemError) {
    var pointers = unsafe arguments.map { unsafe strdup($0) } + [nil]
    // Sound: the list ends with nil, and the child has its own copy of it.
    defer { unsafe pointers.forEach { unsafe free($0) } }
    let child = try systemCall("fork") {
      unsafe clinux_spawn_bound(arguments[0], &pointers, log, kept)
    }
    do throws(SystemError) {
      let watched = Descriptor(owning: try systemCall("pidfd_open") { watch(child) })
      try poller.add(watched.number, .read, token)
      self.watched = watched
    } catch {
      kill(child, SIGKILL)
      while waitpid(child, nil, 0) < 0, errno == EINTR {}
      throw error
    }
    id = child
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
}
