import ArgumentParser
import CounterApp
import Glibc

/// The server: its flags, and its run.
struct Serve: ParsableCommand {
  @Option(Settings.host) var host: GivenFlag?
  @Option(Settings.port) var port: GivenFlag?
  @Option(Settings.metricsPort) var metricsPort: GivenFlag?
  @Option(Settings.redis) var redis: GivenFlag?
  @Option(Settings.redisPasswordFile) var redisPasswordFile: GivenFlag?
  @Option(Settings.redisCA) var redisCA: GivenFlag?
  @Option(Settings.redisCertificate) var redisCertificate: GivenFlag?
  @Option(Settings.redisKey) var redisKey: GivenFlag?
  @Option(Settings.sentinelUser) var sentinelUser: GivenFlag?
  @Option(Settings.sentinelPasswordFile) var sentinelPasswordFile: GivenFlag?
  @Option(Settings.data) var data: GivenFlag?
  @Option(Settings.threads) var threads: GivenFlag?
  @Option(Settings.visitTimeout) var visitTimeout: GivenFlag?
  @Option(Settings.drainDelay) var drainDelay: GivenFlag?
  @Option(Settings.drainTimeout) var drainTimeout: GivenFlag?
  @Option(Settings.maxConnections) var maxConnections: GivenFlag?
  @Option(Settings.memoryLimit) var memoryLimit: GivenFlag?
  @Option(Settings.headerTimeout) var headerTimeout: GivenFlag?
  @Option(Settings.bodyTimeout) var bodyTimeout: GivenFlag?
  @Option(Settings.idleTimeout) var idleTimeout: GivenFlag?
  @Option(Settings.writeTimeout) var writeTimeout: GivenFlag?
  @Option(Settings.logFormat) var logFormat: GivenFlag?
  @Option(Settings.logLevel) var logLevel: GivenFlag?
  @Flag(Settings.accessLog) var accessLog: Bool
  @Option(Settings.trustedProxies) var trustedProxies: GivenFlag?
  @Option(Settings.namespaces) var namespaces: GivenFlag?
  @Option(Settings.maxCounters) var maxCounters: GivenFlag?
  @Option(Settings.origins) var origins: GivenFlag?
  @Option(Settings.maxStreams) var maxStreams: GivenFlag?
  @Option(Settings.minReplicas) var minReplicas: GivenFlag?
  @Option(Settings.tokens) var tokens: GivenFlag?

  static let configuration = CommandConfiguration(
    abstract: "A web server that answers every visit with its number, counted in Redis.",
    usage: """
      counter [<options>]
      counter health [--host <address>] [--port <number>]
      counter check <address> [--counter <counter>] [--timeout <seconds>]
      counter get|hit|delete <counter> [<options>]
      counter set <counter> <value> [<options>]
      counter list <namespace> [<options>]
      """,
    discussion: """
      A flag beats its environment variable. With no Redis named, a private redis-server is \
      started and keeps its data in a folder.

      GET / counts a visit, GET /hit/<namespace>/<key> a visit of a counter with a name, \
      GET /get/<namespace>/<key> reads one, GET /health says that the server is up, GET /ready that it can count. \
      SIGTERM, SIGINT or SIGHUP stops it once everything is answered; a second signal ends it at \
      once. SIGINT and SIGHUP have no effect when they were ignored at the start, as under nohup.

      Exit codes: 0 after a clean stop, 64 for bad usage, 69 when something it needs is missing \
      or taken, 71 when a system call failed, 75 when the drain limit or a second signal cut a \
      stop short.
      """,
    helpNames: .shortAndLong)
}

extension Serve {
  func run() throws {
    if try Application.run(Configuration(settings)) == .cutOff { throw ExitCode(EX_TEMPFAIL) }
  }
}
