import ArgumentParser
import CounterApp
import Glibc
import Logging

/// The command line: flags, help, and how the program's end is told.
struct Command: ParsableCommand {
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
    commandName: "counter",
    abstract: "A web server that answers every visit with its number, counted in Redis.",
    discussion: """
      A flag beats its environment variable. With no Redis named, a private redis-server is \
      started and keeps its data in a folder.

      GET / counts a visit, GET /health says that the server is up, GET /ready that it can count. \
      SIGTERM, SIGINT or SIGHUP stops it once everything is answered.

      Exit codes: 0 after a clean stop, 64 for bad usage, 69 when something it needs is missing \
      or taken, 71 when a system call failed, 75 when a stop took too long and cut something off.
      """,
    version: "counter \(Application.version)")
}

extension Command {
  /// Runs the program.
  ///
  /// - Returns: its exit code.
  static func start(_ arguments: [String]) -> Int32 {
    let command: Command
    do {
      command = try Command.parse(arguments)
    } catch {
      return end(parsing: error)
    }
    do throws(Configuration.BadSetting) {
      return run(try Configuration(command.flags, environment: environment))
    } catch {
      return end(EX_USAGE, error.description)
    }
  }

  private static func run(_ configuration: Configuration) -> Int32 {
    let (format, level) = (configuration.logFormat, configuration.logLevel)
    let logger = Logger(label: "counter") { LineLogHandler(label: $0, format, level: level) }
    do throws(Application.Failure) {
      var application = try Application(configuration, logger)
      switch try application.run() {
      case .clean: return EX_OK
      case .cutOff: return EX_TEMPFAIL
      }
    } catch {
      switch error {
      case .unavailable(let reason): return end(EX_UNAVAILABLE, reason)
      case .system: return end(EX_OSERR, error.description)
      }
    }
  }

  private var flags: Configuration.Flags {
    var flags = Configuration.Flags()
    flags.host = host
    flags.port = port
    flags.metricsPort = metricsPort
    flags.redis = redis
    flags.data = data
    flags.threads = threads
    flags.visitTimeout = visitTimeout
    flags.drainTimeout = drainTimeout
    flags.logFormat = logFormat
    flags.logLevel = logLevel
    flags.accessLog = accessLog
    flags.trustedProxies = trustedProxies
    return flags
  }

  private static func environment(_ name: String) -> String? {
    // Sound: nothing in this program changes the environment.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// Ends after the arguments could not be parsed, or were a call for help.
  private static func end(parsing error: any Error) -> Int32 {
    guard exitCode(for: error) != .success else {
      print(fullMessage(for: error))
      return EX_OK
    }
    return end(EX_USAGE, "\(message(for: error)) (see counter --help)")
  }

  /// Says in one line on standard error why the program ends.
  private static func end(_ code: Int32, _ reason: String) -> Int32 {
    var line = "counter: \(reason.split(separator: "\n").joined(separator: " "))\n"
    line.withUTF8 { line in
      // Sound: the kernel reads the line's own bytes during the call.
      _ = unsafe write(STDERR_FILENO, line.baseAddress, line.count)
    }
    return code
  }
}
