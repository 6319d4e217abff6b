import ArgumentParser
import System
import Foundation
import Glibc

/// The command line, and the order of the measurements.
@main
struct EmulatedLoops: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "emulated-loops",
    abstract: "Measures what many event loops of Counter ask of one Redis, and compares a model.",
    discussion: """
      Every loop is the program's own: its batch, its claim, its connection to Redis. Only the \
      visitors are emulated, and the network between loops and Redis. A redis-server is started \
      for each measurement, on the loopback, and ended after it.

      The result is a Markdown table on standard output. It ends with exit code 1 when a number \
      was given twice or left out.
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("How many event loops, one measurement each.", valueName: "numbers"))
  var loops = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000]

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Visits a second, over all loops.", valueName: "numbers"))
  var rates = [10_000.0, 100_000]

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "What the network adds to a round trip, in milliseconds.", valueName: "numbers"))
  var delays = [0.0, 1]

  @Option(help: "When Redis writes to disk: always (before it answers), everysec or no.")
  var fsync = "always"

  @Option(help: ArgumentHelp("How long each measurement is.", valueName: "seconds"))
  var seconds = 2

  @Option(help: "How often a measurement that other programs disturb is made at most.")
  var attempts = 3

  @Option(help: "What the moments of the visits are drawn from.")
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("Writes all results to a file.", valueName: "file"))
  var json: String?

  func validate() throws {
    let everything = loops.map(Double.init) + rates + [Double(seconds), Double(attempts)]
    guard everything.allSatisfy({ $0 > 0 }), delays.allSatisfy({ $0 >= 0 }), seconds <= 60 else {
      throw ValidationError("numbers must be above zero, and seconds at most 60")
    }
    guard loops.allSatisfy({ $0 <= 5000 }), rates.allSatisfy({ $0 <= 2_000_000 }) else {
      throw ValidationError("at most 5,000 loops and 2,000,000 visits a second")
    }
    guard ["always", "everysec", "no"].contains(fsync) else {
      throw ValidationError("--fsync is always, everysec or no")
    }
  }

  func run() throws {
    let laboratory = try Laboratory(
      fsync: fsync, duration: .seconds(Int64(seconds)), seed: seed, attempts: attempts,
      mostLoops: max(Report.fullLoops, loops.max() ?? 1))
    var report = try begin(laboratory)
    print(report.markdownHead)
    fflush(nil)
    for delay in delays {
      for rate in rates {
        let results = try loops.map { loops in
          let scenario = Scenario(
            loops: loops, visitsPerSecond: rate, networkDelay: delay / 1000)
          return Report.Result(
            try laboratory.measure(scenario), report.model,
            processors: report.machine.processors)
        }
        print("", Report.markdownTable(results), separator: "\n")
        fflush(nil)
        report.results += results
      }
    }
    try write(report)
    guard report.results.allSatisfy(\.measured.isExact) else { throw ExitCode.failure }
  }

  /// Measures what the model starts from: the round trip of one loop, with and without the write to
  /// disk, and what a script takes a busy Redis. In all, every batch follows the one before at once.
  private func begin(_ laboratory: Laboratory) throws -> Report {
    let one = Scenario(loops: 1, visitsPerSecond: 200_000, networkDelay: 0)
    let many = Scenario(loops: Report.fullLoops, visitsPerSecond: 400_000, networkDelay: 0)
    let alone = try laboratory.measure(one, care: 3)
    let unwritten = try laboratory.writing("no").measure(one, care: 3)
    let full = try laboratory.measure(many, care: 3)
    let roundTrip = 1 / alone.callsPerSecond
    return Report(
      date: Date.now.formatted(.iso8601.year().month().day()), machine: Machine(),
      redis: try RedisServer.version(), fsync: fsync, secondsEach: seconds,
      model: Model(
        roundTrip: roundTrip, diskWrite: max(0, roundTrip - 1 / unwritten.callsPerSecond),
        script: full.processors.redis / full.callsPerSecond),
      results: [])
  }

  private func write(_ report: Report) throws {
    guard let json else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try encoder.encode(report).write(to: URL(fileURLWithPath: json))
  }
}
