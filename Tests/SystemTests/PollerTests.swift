import Glibc
import Synchronization
import Testing

@testable import System

@Suite("The poller")
struct PollerTests {
  @Test("hands back whose event it is, for every owner, slot and generation")
  func tokens() {
    for owner: UInt8 in [0, 1, 255] {
      for slot: UInt32 in [0, 1, .max] {
        for generation: UInt32 in [0, 1, 0xFF_FFFF, .max] {
          let token = Token(owner: owner, slot: slot, generation: generation)
          #expect(token.owner == owner)
          #expect(token.slot == slot)
          #expect(token.generation == generation & 0xFF_FFFF)
        }
      }
    }
  }

  @Test("reports a wake-up from another thread, until it is reset")
  func wakeup() throws {
    let poller = try Poller()
    let wakeup = try Wakeup()
    let token = Token(owner: 7, slot: 8, generation: 9)
    try poller.add(wakeup.descriptor, .read, token)
    var events = Events()

    try poller.wait(from: .now, until: .now, &events)
    #expect(events.count == 0)

    let thread = try Thread(name: "ringer") { wakeup.ring() }
    try poller.wait(from: .now, until: .now + .seconds(10), &events)
    thread.join()
    #expect(events.count == 1)
    #expect(events[0].token == token)
    #expect(events[0].readiness == .read)

    wakeup.reset()
    try poller.wait(from: .now, until: .now, &events)
    #expect(events.count == 0)
  }

  @Test("reports what is watched for now, and nothing once it is removed")
  func interest() throws {
    let poller = try Poller()
    let wakeup = try Wakeup()
    wakeup.ring()
    var events = Events()
    try poller.add(wakeup.descriptor, [], Token(owner: 1))
    try poller.wait(from: .now, until: .now, &events)
    #expect(events.count == 0)

    try poller.change(wakeup.descriptor, [.read, .write], Token(owner: 2))
    try poller.wait(from: .now, until: .now, &events)
    #expect(events.count == 1)
    #expect(events[0].token.owner == 2)
    #expect(events[0].readiness == [.read, .write])

    poller.remove(wakeup.descriptor)
    try poller.wait(from: .now, until: .now, &events)
    #expect(events.count == 0)
  }

  @Test("waits until its deadline, never less")
  func deadline() throws {
    let poller = try Poller()
    var events = Events()
    let deadline = Instant.now + .milliseconds(20)
    try poller.wait(from: .now, until: deadline, &events)
    #expect(events.count == 0)
    #expect(Instant.now >= deadline)
  }

  @Test(
    "rounds a wait up to whole milliseconds",
    arguments: [(0, 0), (-1, 0), (1, 1), (999_999, 1), (1_000_000, 2), (1_500_000, 2)])
  func milliseconds(_ nanoseconds: Int64, _ expected: CInt) {
    let now = Instant(nanoseconds: 5_000_000_000)
    let deadline = Instant(nanoseconds: 5_000_000_000 + nanoseconds)
    #expect(Poller.milliseconds(from: now, until: deadline) == expected)
    #expect(Poller.milliseconds(from: now, until: .never) == -1)
  }

  @Test("says which call failed, and why")
  func failure() throws {
    let poller = try Poller()
    let error = #expect(throws: SystemError.self) { try poller.add(-1, .read, Token(owner: 0)) }
    #expect(error?.code == EBADF)
    #expect(error?.description == "epoll_ctl: Bad file descriptor")
  }
}

@Suite("A descriptor")
struct DescriptorTests {
  @Test("is closed with its value, unless it was released")
  func closing() throws {
    let number = dup(0)
    do { _ = Descriptor(owning: number) }
    #expect(fcntl(number, F_GETFD) == -1)

    let kept = Descriptor(owning: dup(0)).release()
    #expect(fcntl(kept, F_GETFD) != -1)
    close(kept)
  }
}
