import Counting
import Logging
import System
import Testing

@testable import CounterApp

@Suite("The log of Redis's outages")
struct RedisLogTests {
  private let lines = Lines()
  private let start = Instant(nanoseconds: 1_000_000_000_000)

  private func at(_ milliseconds: Int64) -> Instant { start + .milliseconds(milliseconds) }

  @Test("A risk is one line until it is gone, and one more when it comes again")
  func risks() {
    let log = RedisLog(lines.logger, "here")
    for _ in 0..<3 { log.surveyed([.eviction]) }
    log.surveyed([.eviction, .persistence])
    log.surveyed([])
    log.surveyed([.eviction, .version])
    #expect(lines.all.count == 4)
    for (line, word) in zip(
      lines.all, ["noeviction", "append-only file", "noeviction", "older than 7.0"])
    {
      #expect(line.contains("warning") && line.contains("here") && line.contains(word), "\(line)")
    }
  }

  @Test(
    "An outage is one line at its beginning and one at its end, however many event loops see it")
  func outage() {
    let log = RedisLog(lines.logger, "here")
    for loop in 0..<4 { log.connectionReady(loop: loop, now: at(0)) }
    for loop in 0..<4 { log.connectionLost("closed", loop: loop, now: at(10)) }
    for loop in 0..<4 { log.connectionLost("closed", loop: loop, now: at(9000)) }
    for loop in 0..<4 { log.connectionReady(loop: loop, now: at(9010)) }
    #expect(lines.all.count == 2)
    #expect(lines.all.first?.contains("Redis lost at here: closed") == true)
    #expect(lines.all.last?.contains("Redis found again at here after 9000 ms") == true)
  }

  @Test("Redis has been reached as soon as one event loop has a connection")
  func firstConnection() {
    let log = RedisLog(lines.logger, "here")
    for loop in 0..<2 { log.connectionLost("refused", loop: loop, now: at(0)) }
    log.connectionReady(loop: 0, now: at(10))
    #expect(log.hasConnected)
  }

  @Test("A Redis that is lost 100 times a second makes at most 34 lines a minute, with a count")
  func flapping() {
    let log = RedisLog(lines.logger, "here")
    for round in 0..<6000 as Range<Int64> {
      log.connectionReady(loop: 0, now: at(round * 10))
      log.connectionLost("reason \(round)", loop: 0, now: at(round * 10 + 5))
    }
    #expect(lines.all.count <= 34)
    #expect(lines.all.filter { $0.contains("Redis lost") }.count >= 15)
    #expect(lines.all.contains { $0.contains("499 times more") })
  }

  @Test("An outage that is not logged because of those before it is logged later if it goes on")
  func lateLine() {
    let log = RedisLog(lines.logger, "here")
    for round in 0..<5 as Range<Int64> {
      log.connectionLost("closed", loop: 0, now: at(round))
      log.connectionReady(loop: 0, now: at(round))
    }
    #expect(lines.all.count == 10)
    log.connectionLost("closed", loop: 0, now: at(200))
    #expect(lines.all.count == 10)
    log.connectionLost("closed", loop: 0, now: at(5200))
    #expect(lines.all.count == 11)
    log.connectionReady(loop: 0, now: at(6200))
    #expect(lines.all.last?.contains("after 6000 ms") == true)
  }

  @Test("An outage that changes its reason every second makes at most 17 lines a minute")
  func reasons() {
    let log = RedisLog(lines.logger, "here")
    for second in 0..<60 as Range<Int64> {
      log.connectionLost("reason \(second)", loop: 0, now: at(second * 1000))
    }
    #expect(lines.all.count <= 17)
    #expect(lines.all.last?.contains("Redis still lost at here: reason 5") == true)
  }

  @Test("Nothing is logged while a private redis-server starts, and an outage after that is")
  func quietStart() {
    let log = RedisLog(lines.logger, "here", quietUntil: at(30_000))
    log.connectionLost("no socket", loop: 0, now: at(0))
    log.connectionReady(loop: 0, now: at(50))
    #expect(lines.all.isEmpty)
    #expect(log.hasConnected)
    log.connectionLost("closed", loop: 0, now: at(1000))
    #expect(lines.all.count == 1)
  }

  @Test("A private redis-server that does not start in time is logged")
  func slowStart() {
    let log = RedisLog(lines.logger, "here", quietUntil: at(30_000))
    log.connectionLost("loading", loop: 0, now: at(0))
    log.connectionLost("loading", loop: 0, now: at(30_000))
    #expect(lines.all.count == 1)
    #expect(!log.hasConnected)
  }

  @Test("Refused batches are one line, and at most 34 a minute when Redis changes its mind")
  func refusals() {
    let log = RedisLog(lines.logger, "here")
    for second in 0..<4 as Range<Int64> { log.batchRefused("OOM", now: at(second * 1000)) }
    #expect(lines.all.count == 1)
    log.batchCounted()
    #expect(lines.all.last?.contains("visits are counted again") == true)
    for round in 1000..<7000 as Range<Int64> {
      log.batchRefused("OOM", now: at(round * 10))
      log.batchCounted()
    }
    #expect(lines.all.count <= 2 + 34)
  }
}
