import ArgumentParser
import CounterApp
import Glibc

/// The server: its flags, and its run.
struct Serve: ParsableCommand {
  @Option(Settings.host) var host: String?
  @Option(Settings.port) var port: String?
  @Option(Settings.metricsPort) var metricsPort: String?
  @Option(Settings.redis) var redis: String?
  @Option(Settings.redisPasswordFile) var redisPasswordFile: String?
  @Option(Settings.data) var data: String?
  @Option(Settings.threads) var threads: String?
  @Option(Settings.visitTimeout) var visitTimeout: String?
  @Option(Settings.drainTimeout) var drainTimeout: String?
  @Option(Settings.maxConnections) var maxConnections: String?
  @Option(Settings.memoryLimit) var memoryLimit: String?
  @Option(Settings.headerTimeout) var headerTimeout: String?
  @Option(Settings.bodyTimeout) var bodyTimeout: String?
  @Option(Settings.idleTimeout) var idleTimeout: String?
  @Option(Settings.writeTimeout) var writeTimeout: String?
  @Option(Settings.logFormat) var logFormat: String?
  @Option(Settings.logLevel) var logLevel: String?
  @Flag(Settings.accessLog) var accessLog: Bool
  @Option(Settings.trustedProxies) var trustedProxies: String?

  static let configuration = CommandConfiguration(
    abstract: "A web server that answers every visit with its number, counted in Redis.",
    usage: """
      counter [<options>]
      counter health [--host <address>] [--port <number>]
      counter check <address> [--timeout <seconds>]
      """,
    discussion: """
      A flag beats its environment variable. With no Redis named, a private redis-server is \
      started and keeps its data in a folder.

      GET / counts a visit, GET /health says that the server is up, GET /ready that it can count. \
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
    let configuration: Configuration
    do throws(SettingError) {
      configuration = try Configuration(settings)
    } catch {
      throw Exit(EX_USAGE, error.description)
    }
    try Self.run(configuration)
  }

  private static func run(_ configuration: Configuration) throws(Exit) {
    do throws(Application.Failure) {
      switch try Application.run(configuration) {
      case .clean: return
      case .cutOff: break
      }
    } catch {
      switch error {
      case .unavailable(let reason): throw Exit(EX_UNAVAILABLE, reason)
      case .system: throw Exit(EX_OSERR, error.description)
      }
    }
    throw Exit(EX_TEMPFAIL)
  }

  private var settings: SettingSource {
    let accessLog = accessLog ? "on" : nil
    return SettingSource([
      (Settings.host.declaration, host), (Settings.port.declaration, port),
      (Settings.metricsPort.declaration, metricsPort), (Settings.redis.declaration, redis),
      (Settings.redisPasswordFile.declaration, redisPasswordFile),
      (Settings.data.declaration, data), (Settings.threads.declaration, threads),
      (Settings.visitTimeout.declaration, visitTimeout),
      (Settings.drainTimeout.declaration, drainTimeout),
      (Settings.maxConnections.declaration, maxConnections),
      (Settings.memoryLimit.declaration, memoryLimit),
      (Settings.headerTimeout.declaration, headerTimeout),
      (Settings.bodyTimeout.declaration, bodyTimeout),
      (Settings.idleTimeout.declaration, idleTimeout),
      (Settings.writeTimeout.declaration, writeTimeout),
      (Settings.logFormat.declaration, logFormat), (Settings.logLevel.declaration, logLevel),
      (Settings.accessLog.declaration, accessLog),
      (Settings.trustedProxies.declaration, trustedProxies),
    ])
  }
}
