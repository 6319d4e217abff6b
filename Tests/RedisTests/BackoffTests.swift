import System
import Testing

@testable import Redis

@Suite("The back-off")
struct BackoffTests {
  @Test("doubles from the shortest to the longest wait, each drawn from its upper half")
  func growth() {
    var backoff = Backoff(from: .milliseconds(10), to: .seconds(1))
    for expected in [10, 20, 40, 80, 160, 320, 640, 1000, 1000] as [Int64] {
      let wait = backoff.failed()
      #expect(wait >= .milliseconds(expected) / 2)
      #expect(wait <= .milliseconds(expected))
    }
    backoff.succeeded()
    #expect(backoff.failed() <= .milliseconds(10))
  }

  @Test("differs from one client to the next")
  func jitter() {
    let waits = (0..<100).map { _ in
      var backoff = Backoff(from: .seconds(1), to: .seconds(1))
      return backoff.failed().nanoseconds
    }
    #expect(Set(waits).count > 50)
  }
}
