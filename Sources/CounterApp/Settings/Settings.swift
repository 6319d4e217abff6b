package import HTTP
package import Logging
package import Redis
package import System

/// Every setting, declared once: the command line, `--help`, `Configuration` and the table in
/// docs/settings.md are made from these declarations.
package enum Settings {
  // Not HOST: some shells and build tools set that variable to the name of the machine.
  package static let host = Setting(
    "host", "LISTEN_HOST", "address", default: "0.0.0.0", { try $0.address() },
    "The IPv4 or IPv6 address to listen on; \"::\" takes both.")
  package static let port = Setting(
    "port", "PORT", "number", default: "8000", { try $0.port() },
    "The port to listen on; 0 takes any free port.")
  package static let metricsPort = Setting(
    "metrics-port", "METRICS_PORT", "number",
    computed: "9000; none if --port is 9000", { try $0.port() },
    "The port to serve metrics for Prometheus on, under /metrics; 0 for none.")
  package static let redis = Setting(
    "redis", "REDIS_URL", note: ", or REDISAPP_SERVICE_HOST and REDISAPP_SERVICE_PORT", "url",
    computed: "a private redis-server", { try $0.redisURL() },
    "The Redis to count in: redis://[user:password@]host[:port][/database], unix:/path, or, through "
      + "sentinels, redis-sentinel://[user:password@]host[:port],host[:port]/[database]#name; for a "
      + "Redis Cluster redis://host[:port],host[:port]; rediss for redis encrypts (TLS).")
  package static let redisPasswordFile = Setting(
    "redis-password-file", "REDIS_PASSWORD", note: ", the password itself", "file", { $0.text },
    "The file that holds the password for Redis, when the URL holds none.")
  package static let redisCA = Setting(
    "redis-ca", "REDIS_CA", "file", computed: "those that the system trusts", { try $0.path() },
    "The certificates that an encrypted Redis (rediss://) is checked with, in PEM.")
  package static let redisCertificate = Setting(
    "redis-cert", "REDIS_CERT", "file", computed: "none", { try $0.path() },
    "The certificate for an encrypted Redis that requires one of its clients, in PEM, and behind it "
      + "those between it and its authority.")
  package static let redisKey = Setting(
    "redis-key", "REDIS_KEY", "file", computed: "none", { try $0.path() },
    "The private key of that certificate, in PEM, without a password.")
  package static let sentinelUser = Setting(
    "sentinel-user", "SENTINEL_USER", "name", computed: "the default user", { $0.text },
    "The user to authenticate as at the sentinels.")
  package static let sentinelPasswordFile = Setting(
    "sentinel-password-file", "SENTINEL_PASSWORD", note: ", the password itself", "file",
    { $0.text }, "The file that holds the password for the sentinels.")
  package static let data = Setting(
    "data", "DATA_DIR", "folder", default: "./data", { try $0.path() },
    "The folder in which a private redis-server keeps its data.")
  package static let threads = Setting(
    "threads", "THREADS", "number",
    computed: "one a usable processor, at most one for each 32 MiB of the memory limit",
    { try $0.number(in: 1...1024) }, "How many event loops to run.")
  package static let visitTimeout = Setting(
    "visit-timeout", "VISIT_TIMEOUT", "seconds", default: "5", { try $0.seconds() },
    "How long a visit may wait for its number.")
  package static let drainDelay = Setting(
    "drain-delay", "DRAIN_DELAY", "seconds", default: "0", { try $0.seconds(from: "0") },
    "How long a stop first goes on accepting connections, with /ready at 503, until load balancers "
      + "have heard of it.")
  package static let drainTimeout = Setting(
    "drain-timeout", "DRAIN_TIMEOUT", "seconds", default: "10", { try $0.seconds(from: "0") },
    "How long a stop may wait for open requests; besides it and the drain delay, a stop takes at most 5 s."
  )
  package static let maxConnections = Setting(
    "max-connections", "MAX_CONNECTIONS", "number",
    computed: "what the limit of open files and the memory limit allow", { try $0.number() },
    "How many connections may be open at a time; idle ones make room for further ones, or those wait."
  )
  package static let memoryLimit = Setting(
    "memory-limit", "MEMORY_LIMIT", "MiB",
    computed: "the limit of the control group; without one, no limit",
    { try $0.number(in: 16...1 << 30) << 20 },
    "The memory that the program and the kernel may take for it, in MiB; buffers and the most "
      + "connections follow from it.")
  package static let headerTimeout = Setting(
    "header-timeout", "HEADER_TIMEOUT", "seconds", default: "10", { try $0.seconds() },
    "How long the header of a request may take.")
  package static let bodyTimeout = Setting(
    "body-timeout", "BODY_TIMEOUT", "seconds", default: "30", { try $0.seconds() },
    "How long the body of a request may take.")
  package static let idleTimeout = Setting(
    "idle-timeout", "IDLE_TIMEOUT", "seconds", default: "620", { try $0.seconds() },
    "How long a connection may wait for its next request.")
  package static let writeTimeout = Setting(
    "write-timeout", "WRITE_TIMEOUT", "seconds", default: "30", { try $0.seconds() },
    "How long a client may read nothing of a response.")
  package static let logFormat = Setting<LogFormat>(
    "log-format", "LOG_FORMAT", "format", default: "text", { try $0.choice() },
    "The format of log lines and of access log lines: text or json.")
  package static let logLevel = Setting<Logger.Level>(
    "log-level", "LOG_LEVEL", "level", default: "info", { try $0.choice() },
    "The lowest level that is logged: trace, debug, info, notice, warning, error or critical.")
  package static let accessLog = Setting(
    "access-log", "ACCESS_LOG", nil, default: "off", { try $0.isOn() },
    "Write a line for each request to standard output.")
  package static let trustedProxies = Setting(
    "trusted-proxies", "TRUSTED_PROXIES", "addresses", computed: "none", { try $0.networks() },
    "Proxies, as addresses or prefixes with commas between them, whose X-Forwarded-For and "
      + "Forwarded fields the access log believes.")

  package static let namespaces = Setting(
    "namespaces", "NAMESPACES", "names", computed: "any", { try $0.namespaces() },
    "The namespaces that there are, with commas between them; all others are answered 404.")
  package static let maxCounters = Setting(
    "max-counters", "MAX_COUNTERS", "number", default: "100000",
    { try $0.number(in: 0...1_000_000_000) },
    "How many counters with names there may be in this Redis; no expiry makes room.")
  package static let origins = Setting(
    "origins", "ORIGINS", "list", computed: "any", { try $0.origins() },
    "Whose pages may count in a namespace from a browser: namespace=origin, such as "
      + "blog=https://blog.example, with commas between them; a namespace may come more than once.")
  package static let maxStreams = Setting(
    "max-streams", "MAX_STREAMS", "number",
    computed: "half of the connections, at most 10000", { try $0.number() },
    "How many streams may be open at a time; further ones are answered 503.")
  package static let minReplicas = Setting(
    "min-replicas", "MIN_REPLICAS", "number", default: "0", { try $0.number(in: 0...100) },
    "How many replicas of Redis must have a visit before it is answered; with fewer, visits are "
      + "answered 503.")
  package static let tokens = Setting(
    "tokens", "TOKENS_FILE", note: "; `ADMIN_TOKEN` is a token for all namespaces", "file",
    computed: "none", { try $0.path() },
    "The file of tokens: a line each, with a namespace, or * for all, and a token.")

  /// The timeout of `counter check`; no setting of the server.
  package static let checkTimeout = Setting(
    "timeout", nil, "seconds", default: "10", { try $0.seconds() },
    "How long the command may take.")

  /// The settings of the commands that read and change counters.
  package static let server = Setting(
    "server", "COUNTER_SERVER", "address", default: "http://127.0.0.1:8000", { try $0.serverURL() },
    "Where the counter is: http://host[:port].")
  package static let clientToken = Setting(
    "token-file", "COUNTER_TOKEN", note: ", the token itself", "file", computed: "none",
    { $0.text }, "The file that holds the token.")
  package static let amount = Setting(
    "by", nil, "number", default: "1", { try $0.amount() },
    "How much to add; needs a token.")
  package static let idempotencyKey = Setting(
    "idempotency-key", nil, "key", { try $0.idempotencyKey() },
    "Sent again with the same key, the hit adds nothing and returns the same number; needs a token."
  )

  /// All declarations of the server, in the order of `--help` and of the table.
  package static let all = [
    host.declaration, port.declaration, metricsPort.declaration, redis.declaration,
    redisPasswordFile.declaration, redisCA.declaration, redisCertificate.declaration,
    redisKey.declaration, sentinelUser.declaration, sentinelPasswordFile.declaration,
    data.declaration, threads.declaration,
    visitTimeout.declaration, drainDelay.declaration, drainTimeout.declaration,
    maxConnections.declaration,
    memoryLimit.declaration, headerTimeout.declaration, bodyTimeout.declaration,
    idleTimeout.declaration, writeTimeout.declaration, logFormat.declaration,
    logLevel.declaration, accessLog.declaration, trustedProxies.declaration,
    namespaces.declaration, maxCounters.declaration, origins.declaration,
    maxStreams.declaration, minReplicas.declaration, tokens.declaration,
  ]

  /// The table of all settings, as docs/settings.md has it.
  package static var table: String {
    "| setting | flag | environment variable | default |\n|---|---|---|---|\n"
      + all.map { $0.tableRow + "\n" }.joined()
  }
}
