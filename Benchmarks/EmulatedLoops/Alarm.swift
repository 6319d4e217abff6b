import System
import Glibc

/// Makes a descriptor readable at a moment that is exact to microseconds (timer_create(2)).
///
/// The poller's own wait is in whole milliseconds, which is enough for a server; visits that are to
/// come at given moments need more.
@safe
final class Alarm {
  private let signals: Signals

  /// The kernel's first timer has the number 0, which Swift takes for a pointer that is nil.
  private let timer: timer_t?
  private var moment = Instant.never

  /// - Parameter signal: a signal that is blocked in every thread and that `signals` alone takes.
  init(_ signal: CInt, _ signals: Signals) throws(SystemError) {
    self.signals = signals
    var event = unsafe sigevent()
    unsafe event.sigev_notify = CInt(SIGEV_SIGNAL)
    unsafe event.sigev_signo = signal
    var timer: timer_t?
    // Sound: the call reads the one value and fills in the other.
    guard unsafe timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 else {
      throw SystemError("timer_create")
    }
    unsafe self.timer = unsafe timer
  }

  deinit {
    // Sound: the timer is this object's own, and nobody has deleted it.
    unsafe timer_delete(timer)
  }

  /// The signals that a program must have blocked before its first thread, one an alarm.
  static func signal(_ index: Int) -> CInt { __libc_current_sigrtmin() + CInt(index) }

  /// Readable after the moment, until `reset`.
  var descriptor: CInt { signals.descriptor }

  /// Sets the moment, in place of any earlier one.
  func set(_ moment: Instant) {
    guard moment != self.moment else { return }
    self.moment = moment
    var setting = itimerspec()
    setting.it_value.tv_sec = Int(moment.nanoseconds / 1_000_000_000)
    setting.it_value.tv_nsec = Int(moment.nanoseconds % 1_000_000_000)
    // Sound: the call reads the one value, and is asked for nothing back.
    unsafe timer_settime(timer, CInt(TIMER_ABSTIME), &setting, nil)
  }

  /// Makes the descriptor quiet until the next moment.
  func reset() {
    moment = .never
    _ = signals.next()
  }
}
