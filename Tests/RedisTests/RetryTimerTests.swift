import System
import Testing

@testable import Redis

@Suite("The retry timer")
struct RetryTimerTests {
  @Test(
    "begins with a quarter of the limit, from 250 ms to 1 s",
    arguments: [(100, 100), (500, 250), (2000, 500), (5000, 1000), (60_000, 1000)]
      as [(Int64, Int64)])
  func beginning(_ limit: Int64, _ timeout: Int64) {
    #expect(RetryTimer(limit: .milliseconds(limit)).timeout == .milliseconds(timeout))
  }

  @Test("doubles up to the limit until a reply comes")
  func expiry() {
    var timer = RetryTimer(limit: .seconds(5))
    for expected: Int64 in [2, 4, 5, 5] {
      timer.recordExpiry()
      #expect(timer.timeout == .seconds(expected))
    }
    timer.recordReply(after: .milliseconds(1))
    #expect(timer.timeout == .milliseconds(1001))
  }

  @Test("exceeds a round trip that was measured by a margin, and by more while it varies")
  func roundTrip() {
    var timer = RetryTimer(limit: .seconds(60))
    timer.recordReply(after: .seconds(2))
    #expect(timer.timeout == .seconds(6), "the first variance is half of the first round trip")
    for _ in 0..<100 { timer.recordReply(after: .seconds(2)) }
    #expect(timer.timeout == .seconds(3), "a constant round trip and the margin")
    timer.recordReply(after: .seconds(10))
    #expect(timer.timeout == .seconds(11), "(7 x 2 + 10) / 8 + 4 x 8 / 4")
  }

  @Test("takes a slow connection for a slow Redis, and a fast one for nothing")
  func connecting() {
    var timer = RetryTimer(limit: .seconds(5))
    timer.recordConnecting(after: .milliseconds(1))
    #expect(timer.timeout == .seconds(1))
    timer.recordConnecting(after: .milliseconds(600))
    #expect(timer.timeout == .milliseconds(1800))
    timer.recordReply(after: .milliseconds(1))
    timer.recordConnecting(after: .milliseconds(600))
    #expect(timer.timeout == .milliseconds(1001), "replies say more")
  }
}
