import AccessLog
package import System
package import HTTP
package import Logging
package import Redis

/// Everything that can be set, understood and checked.
package struct Configuration: Sendable {
  /// The numeric address to listen on.
  package var host: String
  /// The port to listen on; 0 lets the kernel choose.
  package var port: UInt16
  /// The port that metrics are served on; 0 for none.
  package var metricsPort: UInt16
  /// The Redis to count in; nil for a private redis-server.
  package var redis: RedisAddress?
  /// The folder in which a private redis-server keeps its data.
  package var dataFolder: String
  /// How many event loops there are.
  package var threads: Int
  /// How long a visit may wait for its number.
  package var visitTimeout: Interval
  /// How long a stop may take.
  package var drainTimeout: Interval
  /// How many connections may be open at a time; nil for as many as the limit of open files allows.
  package var maxConnections: Int?
  /// How long a request's header may take.
  package var headerTimeout: Interval
  /// How long a request's body may take.
  package var bodyTimeout: Interval
  /// How long a connection may be open without a request.
  package var idleTimeout: Interval
  /// How long a client may read nothing of an answer.
  package var writeTimeout: Interval
  /// How log lines look.
  package var logFormat: LogFormat
  /// What is not worth a line.
  package var logLevel: Logger.Level
  /// Whether there is a line for each request on standard output.
  package var logsAccess: Bool
  /// Whose word is taken on where a request came from.
  package var trustedProxies: [Network]

  /// Settings as they were given, each perhaps not at all.
  package struct Flags: Sendable {
    /// What `--host` was given.
    package var host: String?
    /// What `--port` was given.
    package var port: String?
    /// What `--metrics-port` was given.
    package var metricsPort: String?
    /// What `--redis` was given.
    package var redis: String?
    /// What `--redis-password-file` was given.
    package var redisPasswordFile: String?
    /// What `--data` was given.
    package var data: String?
    /// What `--threads` was given.
    package var threads: String?
    /// What `--visit-timeout` was given.
    package var visitTimeout: String?
    /// What `--drain-timeout` was given.
    package var drainTimeout: String?
    /// What `--max-connections` was given.
    package var maxConnections: String?
    /// What `--header-timeout` was given.
    package var headerTimeout: String?
    /// What `--body-timeout` was given.
    package var bodyTimeout: String?
    /// What `--idle-timeout` was given.
    package var idleTimeout: String?
    /// What `--write-timeout` was given.
    package var writeTimeout: String?
    /// What `--log-format` was given.
    package var logFormat: String?
    /// What `--log-level` was given.
    package var logLevel: String?
    /// Whether `--access-log` was given.
    package var accessLog = false
    /// What `--trusted-proxies` was given.
    package var trustedProxies: String?

    /// None of them.
    package init() {}
  }

  /// A setting that cannot be used.
  package struct BadSetting: Error, Equatable, CustomStringConvertible {
    /// The flag or environment variable.
    package let name: String
    /// What is wrong with its value; does not repeat what may hold a password.
    package let reason: String

    /// Both in one line.
    package var description: String { "\(name): \(reason)" }
  }

  /// Puts flags, environment and defaults together; a flag beats the environment, and an
  /// environment variable that is empty counts as not set.
  package init(
    _ flags: Flags, environment: @escaping (String) -> String?
  ) throws(BadSetting) {
    let find = Finder(environment: environment)
    host = try flags.host.map { Setting(name: "--host", value: $0) }.map(Self.host) ?? "0.0.0.0"
    port = try find.setting("--port", flags.port, "PORT").map(Self.port) ?? 8000
    metricsPort =
      try find.setting("--metrics-port", flags.metricsPort, "METRICS_PORT").map(Self.port) ?? 9000
    redis = try Self.complete(
      try Self.redis(flags.redis, find), passwordFile: flags.redisPasswordFile, find)
    dataFolder = find.setting("--data", flags.data, "DATA_DIR")?.value ?? "./data"
    threads =
      try find.setting("--threads", flags.threads, "THREADS").map(Self.threads)
      ?? UsableProcessors.count
    visitTimeout =
      try find.setting("--visit-timeout", flags.visitTimeout, "VISIT_TIMEOUT")
      .map(Self.seconds) ?? .seconds(5)
    drainTimeout =
      try find.setting("--drain-timeout", flags.drainTimeout, "DRAIN_TIMEOUT")
      .map { setting throws(BadSetting) in try Self.seconds(setting, from: 0) } ?? .seconds(10)
    let threads = threads
    maxConnections =
      try find.setting("--max-connections", flags.maxConnections, "MAX_CONNECTIONS")
      .map { setting throws(BadSetting) in try Self.connections(setting, threads: threads) }
    let limits = Limits()
    headerTimeout =
      try find.setting("--header-timeout", flags.headerTimeout, "HEADER_TIMEOUT")
      .map(Self.seconds) ?? limits.headerTime
    bodyTimeout =
      try find.setting("--body-timeout", flags.bodyTimeout, "BODY_TIMEOUT")
      .map(Self.seconds) ?? limits.bodyTime
    idleTimeout =
      try find.setting("--idle-timeout", flags.idleTimeout, "IDLE_TIMEOUT")
      .map(Self.seconds) ?? limits.idleTime
    writeTimeout =
      try find.setting("--write-timeout", flags.writeTimeout, "WRITE_TIMEOUT")
      .map(Self.seconds) ?? limits.writeTime
    logFormat =
      try find.setting("--log-format", flags.logFormat, "LOG_FORMAT")
      .map { setting throws(BadSetting) in try Self.choice(setting, "text or json") } ?? .text
    logLevel =
      try find.setting("--log-level", flags.logLevel, "LOG_LEVEL")
      .map { setting throws(BadSetting) in
        try Self.choice(setting, "trace, debug, info, notice, warning, error or critical")
      } ?? .info
    let logsAccess = try find.setting("ACCESS_LOG").map(Self.isOn) ?? false
    self.logsAccess = flags.accessLog || logsAccess
    trustedProxies =
      try find.setting("--trusted-proxies", flags.trustedProxies, "TRUSTED_PROXIES")
      .map(Self.networks) ?? []
    guard !dataFolder.isEmpty else {
      throw BadSetting(name: "--data", reason: "the path is empty")
    }
    guard metricsPort == 0 || metricsPort != port else {
      throw BadSetting(name: "--metrics-port", reason: "\(port) is the port of the visits, too")
    }
  }

  /// The port of a counter that is to be asked, which cannot be 0.
  package static func port(
    flag: String?, environment: @escaping (String) -> String?
  ) throws(BadSetting) -> UInt16 {
    let setting = Finder(environment: environment).setting("--port", flag, "PORT")
    let port = try setting.map(Self.port) ?? 8000
    if let setting, port == 0 { throw setting.bad("a port from 1 to 65535") }
    return port
  }

  /// How long a check of a counter may take.
  package static func checkTimeout(flag: String?) throws(BadSetting) -> Interval {
    guard let flag else { return .seconds(10) }
    return try seconds(Setting(name: "--timeout", value: flag), from: 0.001)
  }
}

/// A value and where it was set.
struct Setting {
  let name: String
  let value: String

  /// The value, if it is nothing but decimal digits.
  var wholeNumber: Int? {
    value.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(value) : nil
  }

  /// The value, if it is nothing but decimal digits and at most one point.
  var decimalNumber: Double? {
    value.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E } ? Double(value) : nil
  }

  func bad(_ expected: String) -> Configuration.BadSetting {
    Configuration.BadSetting(name: name, reason: "'\(printable)' is not \(expected)")
  }

  /// The value without what would break the line it is shown in.
  private var printable: String {
    let scalars = value.unicodeScalars.prefix(80).map { $0.value < 32 ? "?" : $0 }
    return String(String.UnicodeScalarView(scalars))
  }
}

/// Finds what was set, by flag or in the environment.
struct Finder {
  let environment: (String) -> String?

  func setting(_ flag: String, _ value: String?, _ variable: String) -> Setting? {
    if let value { return Setting(name: flag, value: value) }
    return setting(variable)
  }

  func setting(_ variable: String) -> Setting? {
    guard let value = environment(variable), !value.isEmpty else { return nil }
    return Setting(name: variable, value: value)
  }
}

extension Configuration {
  private static func host(_ setting: Setting) throws(BadSetting) -> String {
    guard Listener.isAddress(setting.value) else {
      throw setting.bad("an IPv4 or IPv6 address")
    }
    return setting.value
  }

  static func port(_ setting: Setting) throws(BadSetting) -> UInt16 {
    guard let number = setting.wholeNumber, let port = UInt16(exactly: number) else {
      throw setting.bad("a port from 0 to 65535")
    }
    return port
  }

  private static func choice<Choice: RawRepresentable<String>>(
    _ setting: Setting, _ choices: String
  ) throws(BadSetting) -> Choice {
    guard let choice = Choice(rawValue: setting.value) else { throw setting.bad(choices) }
    return choice
  }

  private static func isOn(_ setting: Setting) throws(BadSetting) -> Bool {
    switch setting.value {
    case "1", "true", "yes", "on": return true
    case "0", "false", "no", "off": return false
    default: throw setting.bad("true or false")
    }
  }

  private static func networks(_ setting: Setting) throws(BadSetting) -> [Network] {
    var networks: [Network] = []
    for part in setting.value.split(separator: ",", omittingEmptySubsequences: false) {
      let text = part.drop { $0 == " " }
      guard let network = Network(String(text.prefix { $0 != " " })) else {
        throw Setting(name: setting.name, value: String(part)).bad(
          "an IPv4 or IPv6 address or prefix (10.0.0.0/8)")
      }
      networks.append(network)
    }
    return networks
  }

  private static func threads(_ setting: Setting) throws(BadSetting) -> Int {
    guard let threads = setting.wholeNumber, (1...1024).contains(threads) else {
      throw setting.bad("a number from 1 to 1024")
    }
    return threads
  }

  private static func connections(
    _ setting: Setting, threads: Int
  ) throws(BadSetting) -> Int {
    guard let connections = setting.wholeNumber, connections >= threads else {
      throw setting.bad("a number from \(threads) up, one connection an event loop")
    }
    return connections
  }

  private static func seconds(_ setting: Setting) throws(BadSetting) -> Interval {
    try seconds(setting, from: 0.001)
  }

  static func seconds(
    _ setting: Setting, from least: Double
  ) throws(BadSetting) -> Interval {
    guard let seconds = setting.decimalNumber, (least...3600).contains(seconds) else {
      throw setting.bad("a number of seconds from \(least == 0 ? "0" : "0.001") to 3600")
    }
    return Interval(nanoseconds: Int64(seconds * 1e9))
  }

  /// The Redis that was named, or that Kubernetes made known under the name `redisapp`.
  private static func redis(_ flag: String?, _ find: Finder) throws(BadSetting) -> RedisAddress? {
    if let setting = find.setting("--redis", flag, "REDIS_URL") {
      do {
        return try RedisAddress(setting.value)
      } catch {
        throw BadSetting(name: setting.name, reason: error.reason)
      }
    }
    guard let host = find.setting("REDISAPP_SERVICE_HOST") else { return nil }
    let port = try find.setting("REDISAPP_SERVICE_PORT").map { setting throws(BadSetting) in
      guard let number = setting.wholeNumber, let port = UInt16(exactly: number), port > 0 else {
        throw setting.bad("a port from 1 to 65535")
      }
      return port
    }
    return RedisAddress(.tcp(host: host.value, port: port ?? RedisAddress.defaultPort))
  }
}

extension Configuration {
  /// What clients may do.
  ///
  /// - Parameter connections: how many of them there may be at a time.
  func limits(connections: Int) -> Limits {
    var limits = Limits()
    limits.connections = connections
    limits.headerTime = headerTimeout
    limits.bodyTime = bodyTimeout
    limits.idleTime = idleTimeout
    limits.writeTime = writeTimeout
    return limits
  }

  /// A loop's part of the access log.
  func accessLog(to writer: LineWriter) -> AccessLog {
    AccessLog(
      logFormat == .json ? .json : .combined, trustedProxies: trustedProxies, to: writer)
  }
}
