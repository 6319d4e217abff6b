import ArgumentParser
import CounterApp
import Glibc

/// The server: its flags, and its run.
struct Serve: ParsableCommand {
  @Option(
    help: ArgumentHelp(
      "The IPv4 or IPv6 address to listen on; \"::\" takes both. (default: 0.0.0.0)",
      valueName: "address"))
  var host: String?

  @Option(
    help: ArgumentHelp(
      "The port to listen on; 0 for any free one. (environment: PORT; default: 8000)",
      valueName: "number"))
  var port: String?

  @Option(
    help: ArgumentHelp(
      """
      The port to serve metrics for Prometheus on, under /metrics; 0 for none. (environment: \
      METRICS_PORT; default: 9000)
      """,
      valueName: "number"))
  var metricsPort: String?

  @Option(
    help: ArgumentHelp(
      """
      The Redis to count in: redis://[user:password@]host[:port][/database] or unix:/path. \
      (environment: REDIS_URL, or REDISAPP_SERVICE_HOST and REDISAPP_SERVICE_PORT; default: a \
      private redis-server)
      """,
      valueName: "url"))
  var redis: String?

  @Option(
    help: ArgumentHelp(
      """
      The file that holds the password for Redis, when it is not in its URL. (environment: \
      REDIS_PASSWORD, the password itself)
      """,
      valueName: "file"))
  var redisPasswordFile: String?

  @Option(
    help: ArgumentHelp(
      """
      The folder in which a private redis-server keeps its data. (environment: DATA_DIR; default: \
      ./data)
      """,
      valueName: "folder"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "How many event loops to run. (environment: THREADS; default: one a usable processor)",
      valueName: "number"))
  var threads: String?

  @Option(
    help: ArgumentHelp(
      "How long a visit may wait for its number. (environment: VISIT_TIMEOUT; default: 5)",
      valueName: "seconds"))
  var visitTimeout: String?

  @Option(
    help: ArgumentHelp(
      "How long a stop may take. (environment: DRAIN_TIMEOUT; default: 10)",
      valueName: "seconds"))
  var drainTimeout: String?

  @Option(
    help: ArgumentHelp(
      """
      How many connections may be open at a time; the next ones wait in the backlog. (environment: \
      MAX_CONNECTIONS; default: as many as the limit of open files allows)
      """,
      valueName: "number"))
  var maxConnections: String?

  @Option(
    help: ArgumentHelp(
      "How long the header of a request may take. (environment: HEADER_TIMEOUT; default: 10)",
      valueName: "seconds"))
  var headerTimeout: String?

  @Option(
    help: ArgumentHelp(
      "How long the body of a request may take. (environment: BODY_TIMEOUT; default: 30)",
      valueName: "seconds"))
  var bodyTimeout: String?

  @Option(
    help: ArgumentHelp(
      "How long a connection may wait for its next request. (environment: IDLE_TIMEOUT; default: 60)",
      valueName: "seconds"))
  var idleTimeout: String?

  @Option(
    help: ArgumentHelp(
      "How long a client may read nothing of an answer. (environment: WRITE_TIMEOUT; default: 30)",
      valueName: "seconds"))
  var writeTimeout: String?

  @Option(
    help: ArgumentHelp(
      """
      How log lines look: text or json; those of the access log, too. (environment: LOG_FORMAT; \
      default: text)
      """,
      valueName: "format"))
  var logFormat: String?

  @Option(
    help: ArgumentHelp(
      """
      The least that is logged: trace, debug, info, notice, warning, error or critical. \
      (environment: LOG_LEVEL; default: info)
      """,
      valueName: "level"))
  var logLevel: String?

  @Flag(help: "Write a line for each request to standard output. (environment: ACCESS_LOG)")
  var accessLog = false

  @Option(
    help: ArgumentHelp(
      """
      Proxies, by address or prefix, whose X-Forwarded-For and Forwarded the access log believes. \
      (environment: TRUSTED_PROXIES)
      """,
      valueName: "addresses"))
  var trustedProxies: String?

  static let configuration = CommandConfiguration(
    abstract: "A web server that answers every visit with its number, counted in Redis.",
    usage: """
      counter [<options>]
      counter health [--port <number>]
      counter check <address> [--timeout <seconds>]
      """,
    discussion: """
      A flag beats its environment variable. With no Redis named, a private redis-server is \
      started and keeps its data in a folder.

      GET / counts a visit, GET /health says that the server is up, GET /ready that it can count. \
      SIGTERM, SIGINT or SIGHUP stops it once everything is answered.

      Exit codes: 0 after a clean stop, 64 for bad usage, 69 when something it needs is missing \
      or taken, 71 when a system call failed, 75 when a stop took too long and cut something off.
      """,
    helpNames: .shortAndLong)
}

extension Serve {
  func run() throws {
    let configuration: Configuration
    do throws(Configuration.BadSetting) {
      configuration = try Configuration(flags, environment: Counter.environment)
    } catch {
      throw Ending(EX_USAGE, error.description)
    }
    try Self.run(configuration)
  }

  private static func run(_ configuration: Configuration) throws(Ending) {
    do throws(Application.Failure) {
      var application = try Application(configuration)
      switch try application.run() {
      case .clean: return
      case .cutOff: break
      }
    } catch {
      switch error {
      case .unavailable(let reason): throw Ending(EX_UNAVAILABLE, reason)
      case .system: throw Ending(EX_OSERR, error.description)
      }
    }
    throw Ending(EX_TEMPFAIL)
  }

  private var flags: Configuration.Flags {
    var flags = Configuration.Flags()
    flags.host = host
    flags.port = port
    flags.metricsPort = metricsPort
    flags.redis = redis
    flags.redisPasswordFile = redisPasswordFile
    flags.data = data
    flags.threads = threads
    flags.visitTimeout = visitTimeout
    flags.drainTimeout = drainTimeout
    flags.maxConnections = maxConnections
    flags.headerTimeout = headerTimeout
    flags.bodyTimeout = bodyTimeout
    flags.idleTimeout = idleTimeout
    flags.writeTimeout = writeTimeout
    flags.logFormat = logFormat
    flags.logLevel = logLevel
    flags.accessLog = accessLog
    flags.trustedProxies = trustedProxies
    return flags
  }
}
