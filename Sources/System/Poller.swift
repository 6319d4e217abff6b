public import BasicContainers
public import CLinux

/// What a descriptor is watched for, and what was seen on it (epoll_ctl(2)).
public struct Readiness: OptionSet, Sendable, BitwiseCopyable {
  /// The bits as epoll has them.
  public let rawValue: UInt32

  /// The bits as epoll has them.
  @inlinable
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// There is something to read, be it the end.
  public static let read = Readiness(rawValue: EPOLLIN.rawValue)

  /// Something can be written.
  public static let write = Readiness(rawValue: EPOLLOUT.rawValue)

  /// Both directions are shut; always watched for.
  public static let hangUp = Readiness(rawValue: EPOLLHUP.rawValue)

  /// The peer has sent its last byte, which may still be unread.
  public static let endOfInput = Readiness(rawValue: EPOLLRDHUP.rawValue)

  /// Not seen but asked for: what is seen is told once, and again only when more of it comes or when
  /// the interest is changed, even to the same.
  public static let edgeTriggered = Readiness(rawValue: EPOLLET.rawValue)

  /// The descriptor has an error to tell; always watched for.
  public static let error = Readiness(rawValue: EPOLLERR.rawValue)
}

/// Whose descriptor an event is about: 64 bits that the kernel keeps and hands back.
///
/// Slots are used again, so a token also says which use of the slot it means. An event that was
/// already fetched for an earlier use is then recognized and dropped.
public struct Token: Equatable, Sendable, BitwiseCopyable {
  /// As epoll's user data has it: owner, generation, slot from the highest bit down.
  public let rawValue: UInt64

  /// The bits as epoll's user data has them.
  @inlinable
  init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// Names a slot of an owner, in its `generation`th use (of which the low 24 bits count).
  @inlinable
  public init(owner: UInt8, slot: UInt32 = 0, generation: UInt32 = 0) {
    rawValue = UInt64(owner) << 56 | UInt64(generation & 0xFF_FFFF) << 32 | UInt64(slot)
  }

  /// The part of the program that watches the descriptor; the numbers are the program's.
  @inlinable
  public var owner: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 56) }

  /// Which of the owner's descriptors it is.
  @inlinable
  public var slot: UInt32 { UInt32(truncatingIfNeeded: rawValue) }

  /// Which use of the slot it is, modulo 2^24.
  @inlinable
  public var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) & 0xFF_FFFF }
}

/// Something seen on a watched descriptor.
public struct Event: Sendable, BitwiseCopyable {
  /// Whose descriptor.
  public let token: Token

  /// What was seen.
  public let readiness: Readiness

  /// An event as the poller has it.
  @inlinable
  public init(token: Token, readiness: Readiness) {
    self.token = token
    self.readiness = readiness
  }
}

/// The set of descriptors that a loop watches, level-triggered unless asked otherwise (epoll(7)).
public final class Poller: Sendable {
  private let epoll: Descriptor

  /// An empty set.
  public init() throws(SystemError) {
    let number = try systemCall("epoll_create1") { epoll_create1(CInt(EPOLL_CLOEXEC)) }
    epoll = Descriptor(owning: number)
  }

  /// Waits until something is seen on a watched descriptor, or until `deadline`.
  ///
  /// The wait is rounded up to whole milliseconds; a deadline that is past only looks.
  ///
  /// - Parameter events: is given what was seen, up to its capacity; the rest waits in the kernel.
  public func wait(
    from now: Instant, until deadline: Instant, _ events: inout Events
  ) throws(SystemError) {
    let timeout = Self.milliseconds(from: now, until: deadline)
    unsafe events.fetched.removeAll(keepingCapacity: true)
    unsafe try events.fetched.append(addingCount: Events.capacity) { span throws(SystemError) in
      // Sound: the kernel fills at most as many elements as there is room for, and what it says it
      // filled is counted as initialized.
      let count = unsafe span.withUnsafeMutableBufferPointer { buffer, initialized in
        let count = unsafe epoll_wait(
          epoll.number, buffer.baseAddress, CInt(buffer.count), timeout)
        initialized = Int(max(count, 0))
        return count
      }
      guard count < 0 else { return }
      let error = SystemError("epoll_wait")
      guard error.code == EINTR else { throw error }
    }
  }

  /// Watches one more descriptor.
  public func add(
    _ descriptor: CInt, _ interest: Readiness, _ token: Token
  ) throws(SystemError) {
    try control(EPOLL_CTL_ADD, descriptor, interest, token)
  }

  /// Watches a descriptor for something else than before.
  public func change(
    _ descriptor: CInt, _ interest: Readiness, _ token: Token
  ) throws(SystemError) {
    try control(EPOLL_CTL_MOD, descriptor, interest, token)
  }

  /// Watches a descriptor no longer. Closing the last copy of a descriptor does the same.
  public func remove(_ descriptor: CInt) {
    try? control(EPOLL_CTL_DEL, descriptor, [], Token(rawValue: 0))
  }

  private func control(
    _ operation: CInt, _ descriptor: CInt, _ interest: Readiness, _ token: Token
  ) throws(SystemError) {
    var event = unsafe epoll_event(
      events: interest.rawValue, data: epoll_data_t(u64: token.rawValue))
    // Sound: the kernel reads the one event during the call.
    _ = try systemCall("epoll_ctl") {
      unsafe epoll_ctl(epoll.number, operation, descriptor, &event)
    }
  }

  static func milliseconds(from now: Instant, until deadline: Instant) -> CInt {
    if deadline == .never { return -1 }
    if deadline <= now { return 0 }
    return CInt(clamping: (deadline - now).nanoseconds / 1_000_000 + 1)
  }
}

/// Waits until something is seen on a descriptor, or until `deadline` (poll(2)).
///
/// - Returns: whether something was seen.
package func waitForEvent(
  _ interest: Readiness, on descriptor: CInt, until deadline: Instant
) throws(SystemError) -> Bool {
  // poll(2) and epoll(7) have the same bits for reading and writing.
  var request = pollfd(fd: descriptor, events: Int16(interest.rawValue), revents: 0)
  repeat {
    let timeout = Poller.milliseconds(from: .now, until: deadline)
    // Sound: the kernel reads and fills in the one value.
    if try systemCall("poll", { unsafe poll(&request, 1, timeout) }) > 0 { return true }
  } while Instant.now < deadline
  return false
}

/// What one wait saw, in storage that is used again for the next.
@safe
public struct Events: ~Copyable {
  @usableFromInline
  var fetched = unsafe UniqueArray<epoll_event>(minimumCapacity: capacity)

  /// As many events as one wait fetches.
  static var capacity: Int { 256 }

  /// None yet.
  public init() {}

  /// How many there are.
  public var count: Int { unsafe fetched.count }

  /// One of them.
  @inlinable
  public subscript(index: Int) -> Event {
    // Sound: every descriptor is added with the 64-bit member of the union.
    unsafe Event(
      token: Token(rawValue: fetched[index].data.u64),
      readiness: Readiness(rawValue: fetched[index].events))
  }
}
