import CLinux
import Glibc

/// Signals as readable events (signalfd(2)).
public final class Signals: Sendable {
  private let source: Descriptor

  /// Takes these signals from now on, in this thread and every thread it starts later.
  ///
  /// Make one before the first thread is started: a thread that exists already would still be
  /// interrupted by the signals.
  ///
  /// - Parameters:
  ///   - numbers: the signals that are always taken.
  ///   - others: the signals that are taken unless the program was started with them ignored. A
  ///     signal that is blocked is delivered even if it is ignored (signal(7)), so nohup(1) and a
  ///     shell's background job would have no effect otherwise.
  public init(_ numbers: CInt..., unlessIgnored others: [CInt] = []) throws(SystemError) {
    var set = sigset_t()
    // Sound: these calls change the one value they are handed.
    unsafe sigemptyset(&set)
    for number in numbers + others.filter({ clinux_is_ignored($0) == 0 }) {
      unsafe sigaddset(&set, number)
    }
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    let number = unsafe signalfd(-1, &set, CInt(SFD_CLOEXEC | SFD_NONBLOCK))
    guard number >= 0 else { throw SystemError("signalfd") }
    source = Descriptor(owning: number)
  }

  /// The descriptor that is readable while a signal waits.
  public var descriptor: CInt { source.number }

  /// The next signal that arrived; nil when there is none.
  public func next() -> CInt? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    // Sound: the kernel writes one whole record or nothing.
    let count = unsafe read(source.number, &info, size)
    return count == size ? CInt(info.ssi_signo) : nil
  }

  /// Makes writing to a closed pipe or socket an error instead of the end of the program.
  public static func ignoreBrokenPipes() {
    _ = signal(SIGPIPE, SIG_IGN)
  }
}
