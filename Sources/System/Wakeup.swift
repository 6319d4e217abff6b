import CLinux

/// Ends a loop's wait from another thread (eventfd(2)).
public final class Wakeup: Sendable {
  private let event: Descriptor

  /// One that nobody has rung yet.
  public init() throws(SystemError) {
    let number = try systemCall("eventfd") {
      eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
    }
    event = Descriptor(owning: number)
  }

  /// The descriptor that becomes readable when it is rung.
  public var descriptor: CInt { event.number }

  /// Makes the descriptor readable. Any thread may; many rings before a `reset` are one.
  public func ring() {
    // It fails only when 2^64 - 1 rings have not been answered.
    eventfd_write(event.number, 1)
  }

  /// Makes the descriptor quiet until it is rung again.
  public func reset() {
    var rings: eventfd_t = 0
    // Sound: the call fills in the one value it is handed. It fails when there was no ring.
    unsafe eventfd_read(event.number, &rings)
  }
}
