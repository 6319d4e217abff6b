import AccessLog
package import HTTP
package import Logging
package import Redis
package import System

/// The values of all settings, understood and checked.
package struct Configuration: Sendable {
  /// The numeric address to listen on.
  package var host: String
  /// The port to listen on; 0 lets the kernel choose.
  package var port: UInt16
  /// The port that metrics are served on; 0 for none.
  package var metricsPort: UInt16
  /// The Redis to count in; nil for a private redis-server.
  package var redis: Location?
  /// The folder in which a private redis-server keeps its data.
  package var dataFolder: String
  /// How many event loops there are.
  package var threads: Int
  /// How long a visit may wait for its number.
  package var visitTimeout: Interval
  /// How long a stop may wait for open requests.
  package var drainTimeout: Interval
  /// How many connections may be open at a time; nil for as many as fit.
  package var maxConnections: Int?
  /// The memory that the program may take, in bytes; nil for no limit.
  package var memoryLimit: Int?
  /// How long the header of a request may take.
  package var headerTimeout: Interval
  /// How long the body of a request may take.
  package var bodyTimeout: Interval
  /// How long a connection may be open without a request.
  package var idleTimeout: Interval
  /// How long a client may read nothing of a response.
  package var writeTimeout: Interval
  /// The format of log lines.
  package var logFormat: LogFormat
  /// The lowest level that is logged.
  package var logLevel: Logger.Level
  /// Whether there is a line for each request on standard output.
  package var logsAccess: Bool
  /// The proxies whose account of the client's address is believed.
  package var trustedProxies: [Network]

  /// Puts flags, environment and defaults together.
  ///
  /// - Parameter machine: what defaults are computed from.
  package init(_ source: SettingSource, _ machine: Machine = .current) throws(SettingError) {
    host = try source.value(of: Settings.host)
    port = try source.value(of: Settings.port)
    metricsPort = try source.value(of: Settings.metricsPort)
    redis = try Self.findRedis(source)
    dataFolder = try source.value(of: Settings.data)
    memoryLimit = try source.given(Settings.memoryLimit) ?? machine.memoryLimit
    threads =
      try source.given(Settings.threads)
      ?? MemoryBudget.mostLoops(machine.processors, in: memoryLimit)
    visitTimeout = try source.value(of: Settings.visitTimeout)
    drainTimeout = try source.value(of: Settings.drainTimeout)
    maxConnections = try source.given(Settings.maxConnections)
    headerTimeout = try source.value(of: Settings.headerTimeout)
    bodyTimeout = try source.value(of: Settings.bodyTimeout)
    idleTimeout = try source.value(of: Settings.idleTimeout)
    writeTimeout = try source.value(of: Settings.writeTimeout)
    logFormat = try source.value(of: Settings.logFormat)
    logLevel = try source.value(of: Settings.logLevel)
    logsAccess = try source.value(of: Settings.accessLog)
    trustedProxies = try source.given(Settings.trustedProxies) ?? []
    guard metricsPort == 0 || metricsPort != port else {
      throw source.error(
        Settings.metricsPort.declaration, .because("\(port) is the port of the visits, too"))
    }
    if let maxConnections, maxConnections < threads {
      throw source.error(
        Settings.maxConnections.declaration,
        .expected("a number from \(threads) up, one connection an event loop"))
    }
  }

  /// The Redis that was named, or that Kubernetes made known under the name `redisapp`.
  private static func findRedis(_ source: SettingSource) throws(SettingError) -> Location? {
    var redis = try source.given(Settings.redis)
    if redis == nil, let host = source.variable("REDISAPP_SERVICE_HOST") {
      let port = source.variable("REDISAPP_SERVICE_PORT")
      redis = Location(
        .tcp(
          host: try host.parsed(Settings.parseRemoteHost),
          port: try port?.parsed(Settings.parseRemotePort) ?? Location.defaultPort))
    }
    return try completePassword(of: redis, source)
  }
}

extension GivenValue {
  fileprivate func parsed<Value>(
    _ parse: (String) throws(InvalidValue) -> Value
  ) throws(SettingError) -> Value {
    do throws(InvalidValue) {
      return try parse(text)
    } catch {
      throw self.error(error)
    }
  }
}

// MARK: - What follows from the settings

extension Configuration {
  /// How the memory limit is divided; nil when there is none.
  var memoryBudget: MemoryBudget? {
    memoryLimit.map {
      MemoryBudget(limit: $0, loops: threads, runsRedis: redis == nil)
    }
  }

  /// How many bytes an event loop may keep for its clients.
  var bufferedBytes: Int { memoryBudget?.bufferedBytes ?? MemoryBudget.mostBufferedBytes }

  /// The limits for the clients of one event loop.
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

  /// The access log of one event loop.
  func accessLog(to writer: LineWriter) -> AccessLog {
    AccessLog(
      logFormat == .json ? .json : .combined, trustedProxies: trustedProxies, to: writer)
  }
}
