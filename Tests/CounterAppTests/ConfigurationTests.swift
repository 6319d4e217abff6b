import System
import Logging
import Redis
import Testing

@testable import CounterApp

/// Settings out of flags and an environment of the test's own.
private func configure(
  _ environment: [String: String] = [:], _ set: (inout Configuration.Flags) -> Void = { _ in }
) throws(Configuration.BadSetting) -> Configuration {
  var flags = Configuration.Flags()
  set(&flags)
  return try Configuration(flags) { environment[$0] }
}

@Suite("The configuration")
struct ConfigurationTests {
  @Test("has the documented defaults")
  func defaults() throws {
    let configuration = try configure()
    #expect(configuration.host == "0.0.0.0")
    #expect(configuration.port == 8000)
    #expect(configuration.redis == nil)
    #expect(configuration.dataFolder == "./data")
    #expect(configuration.threads == UsableProcessors.count)
    #expect(configuration.visitTimeout == .seconds(5))
    #expect(configuration.drainTimeout == .seconds(10))
    #expect(configuration.maxConnections == nil)
    #expect(configuration.headerTimeout == .seconds(10))
    #expect(configuration.bodyTimeout == .seconds(30))
    #expect(configuration.idleTimeout == .seconds(60))
    #expect(configuration.writeTimeout == .seconds(30))
    #expect(configuration.metricsPort == 9000)
    #expect(configuration.logFormat == .text)
    #expect(configuration.logLevel == .info)
    #expect(!configuration.logsAccess)
    #expect(configuration.trustedProxies.isEmpty)
  }

  @Test("reads every environment variable")
  func environment() throws {
    let configuration = try configure([
      "PORT": "1", "REDIS_URL": "unix:/r", "DATA_DIR": "/d", "THREADS": "3",
      "VISIT_TIMEOUT": "0.25", "DRAIN_TIMEOUT": "0", "MAX_CONNECTIONS": "3",
      "HEADER_TIMEOUT": "1", "BODY_TIMEOUT": "2", "IDLE_TIMEOUT": "3", "WRITE_TIMEOUT": "4",
      "METRICS_PORT": "0", "LOG_FORMAT": "json", "LOG_LEVEL": "error", "ACCESS_LOG": "yes",
      "TRUSTED_PROXIES": "10.0.0.0/8, ::1",
    ])
    #expect(configuration.port == 1)
    #expect(configuration.redis == RedisAddress(.unix(path: "/r")))
    #expect(configuration.dataFolder == "/d")
    #expect(configuration.threads == 3)
    #expect(configuration.visitTimeout == .milliseconds(250))
    #expect(configuration.drainTimeout == .seconds(0))
    #expect(configuration.maxConnections == 3)
    #expect(configuration.headerTimeout == .seconds(1))
    #expect(configuration.bodyTimeout == .seconds(2))
    #expect(configuration.idleTimeout == .seconds(3))
    #expect(configuration.writeTimeout == .seconds(4))
    #expect(configuration.metricsPort == 0)
    #expect(configuration.logFormat == .json)
    #expect(configuration.logLevel == .error)
    #expect(configuration.logsAccess)
    #expect(configuration.trustedProxies.count == 2)
  }

  @Test("lets a flag beat the environment, and takes an empty variable for none")
  func precedence() throws {
    #expect(try configure(["PORT": "1"]) { $0.port = "2" }.port == 2)
    #expect(try configure(["PORT": ""]).port == 8000)
    let redis = try configure(["REDIS_URL": "redis://a", "REDISAPP_SERVICE_HOST": "b"]).redis
    #expect(redis == RedisAddress(.tcp(host: "a", port: 6379)))
  }

  @Test("finds the Redis that Kubernetes makes known")
  func kubernetes() throws {
    let environment = [
      "REDISAPP_SERVICE_HOST": "10.0.0.7", "REDISAPP_SERVICE_PORT": "6380",
      "REDISAPP_PORT": "tcp://10.0.0.7:6380", "COUNTER_PORT": "tcp://10.0.0.8:8000",
    ]
    #expect(try configure(environment).redis == RedisAddress(.tcp(host: "10.0.0.7", port: 6380)))
    let address = RedisAddress(.tcp(host: "h", port: RedisAddress.defaultPort))
    #expect(try configure(["REDISAPP_SERVICE_HOST": "h"]).redis == address)
    #expect(try configure(["REDISAPP_SERVICE_PORT": "1"]).redis == nil)
  }

  @Test(
    "names a bad setting by where it was set",
    arguments: [
      ("PORT", "x"), ("PORT", "+1"), ("THREADS", "+1"), ("VISIT_TIMEOUT", "0x1p1"),
      ("VISIT_TIMEOUT", "."),
      ("PORT", "-1"), ("PORT", "65536"), ("THREADS", "0"), ("THREADS", "2000"),
      ("VISIT_TIMEOUT", "0"), ("VISIT_TIMEOUT", "nan"), ("VISIT_TIMEOUT", "inf"),
      ("VISIT_TIMEOUT", "3601"), ("DRAIN_TIMEOUT", "-1"), ("DRAIN_TIMEOUT", "5 s"),
      ("REDIS_URL", "http://x"), ("MAX_CONNECTIONS", "0"), ("MAX_CONNECTIONS", "many"),
      ("HEADER_TIMEOUT", "0"), ("BODY_TIMEOUT", "-1"), ("IDLE_TIMEOUT", "3601"),
      ("WRITE_TIMEOUT", "1 s"),
    ])
  func badVariable(_ name: String, _ value: String) {
    let error = #expect(throws: Configuration.BadSetting.self) { try configure([name: value]) }
    #expect(error?.name == name)
  }

  @Test("names a bad flag, in one line whatever its value holds")
  func badFlag() {
    let error = #expect(throws: Configuration.BadSetting.self) {
      try configure { $0.port = "8\n0" }
    }
    #expect(error?.description == "--port: '8?0' is not a port from 0 to 65535")
    #expect(throws: Configuration.BadSetting.self) { try configure { $0.host = "localhost" } }
    #expect(throws: Configuration.BadSetting.self) { try configure { $0.data = "" } }
  }

  @Test("does not repeat a Redis URL, which may hold a password")
  func secret() {
    let error = #expect(throws: Configuration.BadSetting.self) {
      try configure(["REDIS_URL": "redis://:secret@host:port"])
    }
    #expect(error?.description.contains("secret") == false)
  }

  @Test("gives a Redis without a password the one in the environment, and no other")
  func password() throws {
    func password(_ url: String, _ others: [String: String] = [:]) throws -> String? {
      let environment = ["REDIS_URL": url, "REDIS_PASSWORD": "p"].merging(others) { $1 }
      return try configure(environment).redis?.password
    }
    #expect(try password("redis://h") == "p")
    #expect(try password("redis://u:@h") == "p")
    #expect(try password("unix:/r") == "p")
    #expect(try password("redis://u:own@h") == "own")
    #expect(try password("redis://h", ["REDIS_PASSWORD": ""]) == nil)
    #expect(try password("redis://u:@h", ["REDIS_PASSWORD": ""]) == "")
    #expect(try configure(["REDIS_PASSWORD": "p"]).redis == nil)
  }
}

@Suite("The limit of open files")
struct OpenFilesTests {
  @Test("leaves room for connections besides what the program needs itself")
  func room() throws {
    #expect(try OpenFiles(limit: 1024).connections(nil, loops: 2) == 1024 - 48)
    #expect(try OpenFiles(limit: 1024).connections(976, loops: 2) == 976)
    #expect(try OpenFiles(limit: .max).connections(7, loops: 7) == 7)
  }

  @Test("refuses more connections than fit, and to serve none")
  func tooMany() {
    let tooMany = #expect(throws: Application.Failure.self) {
      try OpenFiles(limit: 1024).connections(977, loops: 2)
    }
    #expect(tooMany?.description.contains("1024") == true)
    #expect(throws: Application.Failure.self) {
      try OpenFiles(limit: 49).connections(nil, loops: 2)
    }
  }

  @Test("is shared out evenly, and none is left over", arguments: [2, 3, 7, 100])
  func shares(connections: Int) {
    for loops in 1...min(connections, 7) {
      let shares = (0..<loops).map { OpenFiles.share(ofLoop: $0, of: loops, in: connections) }
      #expect(shares.reduce(0, +) == connections)
      #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
    }
  }

  @Test("has one connection a loop at least, or the setting is bad")
  func onePerLoop() {
    let error = #expect(throws: Configuration.BadSetting.self) {
      try configure(["THREADS": "4", "MAX_CONNECTIONS": "3"])
    }
    #expect(error?.name == "MAX_CONNECTIONS")
  }
}

@Suite("The usable processors")
struct UsableProcessorsTests {
  private func quota(_ groups: String, _ files: [String: String]) -> Int? {
    UsableProcessors.quota(ofGroups: groups) { files[$0] }
  }

  @Test("are limited by the smallest quota between the group and the root")
  func version2() {
    let files = [
      "/sys/fs/cgroup/a/b/cpu.max": "max 100000\n", "/sys/fs/cgroup/a/cpu.max": "150000 100000\n",
      "/sys/fs/cgroup/cpu.max": "800000 100000\n",
    ]
    #expect(quota("0::/a/b\n", files) == 2)
    #expect(quota("0::/\n", files) == 8)
    #expect(quota("0::/c\n", [:]) == nil)
    #expect(quota("0::/\n", ["/sys/fs/cgroup/cpu.max": "max 100000\n"]) == nil)
    #expect(quota("0::/\n", ["/sys/fs/cgroup/cpu.max": "1000 100000\n"]) == 1)
  }

  @Test("are limited by the first version of control groups as well")
  func version1() {
    let files = [
      "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "250000\n",
      "/sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    ]
    #expect(quota("4:memory:/a\n3:cpu,cpuacct:/a\n", files) == 3)
    #expect(quota("3:cpuset:/a\n", files) == nil)
  }

  @Test("are at least one")
  func count() {
    #expect(UsableProcessors.count >= 1)
  }
}
