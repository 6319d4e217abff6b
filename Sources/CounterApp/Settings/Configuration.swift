import AccessLog
package import HTTP
package import Logging
package import Redis
package import System

/// The values of all settings, understood and checked. `Settings` says what each one means.
package struct Configuration: Sendable {
  package var host: String
  package var port: UInt16
  package var metricsPort: UInt16
  /// Nil for a private redis-server.
  package var redis: RedisAddress?
  package var dataFolder: String
  package var threads: Int
  package var visitTimeout: Interval
  package var drainDelay: Interval
  package var drainTimeout: Interval
  /// Nil for as many as fit.
  package var maxConnections: Int?
  /// In bytes; nil for no limit.
  package var memoryLimit: Int?
  /// The time limits for clients; `limits(connections:)` completes them.
  private(set) var limits = Limits()
  package var logFormat: LogFormat
  package var logLevel: Logger.Level
  package var logsAccess: Bool
  package var trustedProxies: [Network]
  /// The namespaces that there are; nil for any.
  package var namespaces: Set<String>?
  package var maxCounters: Int
  /// Whose pages may count; empty for any.
  package var origins: Origins
  /// Nil for as many as leave room for other requests.
  package var maxStreams: Int?
  /// How many replicas of Redis must have a batch before its visits are answered.
  package var minReplicas: Int
  /// The path of the file of tokens.
  package var tokenFile: String?
  package var adminToken: String?
  /// What the file and the admin token gave at the start.
  package var tokens: Tokens

  /// Puts flags, environment and defaults together.
  ///
  /// - Parameter machine: what defaults are computed from.
  package init(_ source: SettingSource, _ machine: Machine = .current) throws {
    host = try source.value(of: Settings.host)
    port = try source.value(of: Settings.port)
    metricsPort = try source.given(Settings.metricsPort) ?? (port == 9000 ? 0 : 9000)
    redis = try Self.findRedis(source)
    dataFolder = try source.value(of: Settings.data)
    memoryLimit = try source.given(Settings.memoryLimit) ?? machine.memoryLimit
    threads =
      try source.given(Settings.threads)
      ?? MemoryBudget.mostLoops(machine.processors, in: memoryLimit)
    visitTimeout = try source.value(of: Settings.visitTimeout)
    drainDelay = try source.value(of: Settings.drainDelay)
    drainTimeout = try source.value(of: Settings.drainTimeout)
    maxConnections = try source.given(Settings.maxConnections)
    limits.headerTime = try source.value(of: Settings.headerTimeout)
    limits.bodyTime = try source.value(of: Settings.bodyTimeout)
    limits.idleTime = try source.value(of: Settings.idleTimeout)
    limits.writeTime = try source.value(of: Settings.writeTimeout)
    logFormat = try source.value(of: Settings.logFormat)
    logLevel = try source.value(of: Settings.logLevel)
    logsAccess = try source.value(of: Settings.accessLog)
    trustedProxies = try source.given(Settings.trustedProxies) ?? []
    namespaces = try source.given(Settings.namespaces)
    maxCounters = try source.value(of: Settings.maxCounters)
    origins = try source.given(Settings.origins) ?? Origins()
    maxStreams = try source.given(Settings.maxStreams)
    minReplicas = try source.value(of: Settings.minReplicas)
    tokenFile = try source.given(Settings.tokens)
    adminToken = try source.variable("ADMIN_TOKEN").map { try $0.token() }
    do {
      tokens = try Tokens(adminToken: adminToken, file: tokenFile)
    } catch {
      throw source.conflicting(Settings.tokens.declaration).isBad(error.reason)
    }
    guard metricsPort == 0 || metricsPort != port else {
      throw source.conflicting(Settings.metricsPort.declaration)
        .isBad("\(port) is the port of the visits, too")
    }
    if let namespaces, let other = origins.namespaces.subtracting(namespaces).min() {
      throw source.conflicting(Settings.origins.declaration)
        .isBad("\(other) is none of the namespaces that there are")
    }
    guard minReplicas == 0 || redis != nil else {
      throw source.conflicting(Settings.minReplicas.declaration)
        .isBad("a private redis-server has no replicas: set --redis")
    }
    if let maxConnections, maxConnections < threads {
      throw source.conflicting(Settings.maxConnections.declaration)
        .isNot("a number from \(threads) up, one connection an event loop")
    }
  }

  /// The Redis that was named, or that Kubernetes made known under the name `redisapp`.
  private static func findRedis(_ source: SettingSource) throws -> RedisAddress? {
    var redis = try source.given(Settings.redis)
    if redis == nil, let host = source.variable("REDISAPP_SERVICE_HOST") {
      let port = source.variable("REDISAPP_SERVICE_PORT")
      redis = RedisAddress(
        .tcp(
          host: try host.remoteHost(),
          port: try port?.port(from: 1) ?? RedisAddress.defaultPort))
    }
    redis = try completeSentinels(of: completePassword(of: redis, source), source)
    return try completeTLS(of: redis, source)
  }
}

// MARK: - What follows from the settings

extension Configuration {
  /// How the memory limit is divided; nil when there is none.
  var memoryBudget: MemoryBudget? {
    memoryLimit.map {
      MemoryBudget(
        limit: $0, loops: threads, redisMemory: redis == nil ? privateRedisMemory : nil)
    }
  }

  /// The `maxmemory` of the private redis-server, if there is one.
  var privateRedisMemory: Int { MemoryBudget.redisMemory(counters: maxCounters, in: memoryLimit) }

  /// How many bytes an event loop may keep for its clients. The access log may keep as many for lines that
  /// wait for their responses.
  var bufferedBytes: Int {
    let bytes = memoryBudget?.bufferedBytes ?? MemoryBudget.mostBufferedBytes
    return logsAccess ? bytes / 2 : bytes
  }

  /// The limits for the clients of one event loop.
  ///
  /// - Parameter connections: how many of them there may be at a time.
  func limits(connections: Int) -> Limits {
    var limits = limits
    limits.connections = connections
    limits.bufferedBytes = bufferedBytes
    return limits
  }

  /// The access log of one event loop.
  func accessLog(to writer: LineWriter) -> AccessLog {
    AccessLog(logFormat == .json ? .json : .combined, to: writer, capacity: bufferedBytes)
  }
}

// MARK: - The settings of `counter health` and `counter check`

extension SettingSource {
  /// A client of the counter that the settings name.
  package func counterClient() throws -> CounterClient {
    let limit = try value(of: Settings.checkTimeout)
    return CounterClient(try value(of: Settings.server), token: try clientToken(), limit: limit)
  }

  /// The token of a file, or of the variable.
  private func clientToken() throws -> String? {
    guard let given = find(Settings.clientToken.declaration) else { return nil }
    guard given.isFlag else { return try given.token() }
    do throws(AddressError) {
      let text = try PasswordFile(given.text).read()
      guard Tokens.isToken(text) else { throw AddressError(Tokens.rule) }
      return text
    } catch {
      throw given.isBad(error.reason)
    }
  }

  /// The address and port of the counter to ask. The port cannot be 0.
  package func healthTarget() throws -> (host: String, port: UInt16) {
    let (host, port) = (try value(of: Settings.host), try value(of: Settings.port))
    guard port != 0 else {
      throw conflicting(Settings.port.declaration).isNot("a port from 1 to 65535")
    }
    return (host, port)
  }
}
