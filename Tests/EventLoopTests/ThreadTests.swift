import Foundation
import Synchronization
import Testing

@testable import EventLoop

@Suite("A thread")
struct ThreadTests {
  /// What the scheduler knows of the calling thread, by name (proc(5)).
  private static func scheduling() throws -> [String: String] {
    let lines = try String(contentsOfFile: "/proc/thread-self/sched", encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: ":", maxSplits: 1) }
    let pairs = lines.filter { $0.count == 2 }.map { line in
      (
        line[0].trimmingCharacters(in: .whitespaces), line[1].trimmingCharacters(in: .whitespaces)
      )
    }
    return Dictionary(pairs) { $1 }
  }

  /// From Linux 6.12 on a thread can say how long its turns shall be.
  private static let kernelTakesSlices: Bool = {
    let release = try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
    let numbers = (release ?? "").split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    return numbers.count == 2 && (numbers[0], numbers[1]) >= (6, 12)
  }()

  @Test(
    "takes turns as short as it asked for, at the priority it had", .enabled(if: kernelTakesSlices))
  func shortTurns() throws {
    let seen = Mutex<[[String: String]]>([])
    let thread = try EventLoop.Thread(name: "hasty") {
      let before = try? Self.scheduling()
      EventLoop.Thread.takeShortTurns(of: Interval(nanoseconds: 100_000))
      let after = try? Self.scheduling()
      seen.withLock { $0 = [before, after].compactMap(\.self) }
    }
    thread.join()
    let (before, after) = try seen.withLock { seen in
      (try #require(seen.first), try #require(seen.last))
    }
    #expect(before["se.slice"] != "100000")
    #expect(after["se.slice"] == "100000")
    for same in ["policy", "prio"] { #expect(before[same] == after[same]) }
  }
}
