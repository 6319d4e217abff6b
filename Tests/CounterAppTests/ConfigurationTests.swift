import HTTP
import System
import Logging
import Redis
import Testing

@testable import CounterApp

/// The configuration that follows from flags and environment variables, on a machine with two
/// processors unless told otherwise.
func configure(
  _ environment: [String: String] = [:], flags: [String: String] = [:],
  on machine: Machine = Machine(processors: 2, memoryLimit: nil)
) throws -> Configuration {
  try Configuration(SettingSource(flags: flags) { environment[$0] }, machine)
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
    #expect(configuration.threads == 2)
    #expect(configuration.memoryLimit == nil)
    #expect(configuration.visitTimeout == .seconds(5))
    #expect(configuration.drainTimeout == .seconds(10))
    #expect(configuration.maxConnections == nil)
    #expect(configuration.limits.headerTime == .seconds(10))
    #expect(configuration.limits.bodyTime == .seconds(30))
    #expect(configuration.limits.idleTime == .seconds(620))
    #expect(configuration.limits.writeTime == .seconds(30))
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
      "TRUSTED_PROXIES": "10.0.0.0/8, ::1", "LISTEN_HOST": "::1", "MEMORY_LIMIT": "64",
    ])
    #expect(configuration.host == "::1")
    #expect(configuration.memoryLimit == 64 << 20)
    #expect(configuration.port == 1)
    #expect(configuration.redis == RedisAddress(.unix(path: "/r")))
    #expect(configuration.dataFolder == "/d")
    #expect(configuration.threads == 3)
    #expect(configuration.visitTimeout == .milliseconds(250))
    #expect(configuration.drainTimeout == .seconds(0))
    #expect(configuration.maxConnections == 3)
    #expect(configuration.limits.headerTime == .seconds(1))
    #expect(configuration.limits.bodyTime == .seconds(2))
    #expect(configuration.limits.idleTime == .seconds(3))
    #expect(configuration.limits.writeTime == .seconds(4))
    #expect(configuration.metricsPort == 0)
    #expect(configuration.logFormat == .json)
    #expect(configuration.logLevel == .error)
    #expect(configuration.logsAccess)
    #expect(configuration.trustedProxies.count == 2)
  }

  @Test("lets a flag beat the environment, and counts an empty variable as not set")
  func precedence() throws {
    #expect(try configure(["PORT": "1"], flags: ["port": "2"]).port == 2)
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
    "names a bad setting by the flag or variable that gave it",
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
    let error = #expect(throws: SettingError.self) { try configure([name: value]) }
    #expect(error?.name == name)
  }

  @Test("names a bad flag, in one line whatever its value holds")
  func badFlag() {
    let error = #expect(throws: SettingError.self) {
      try configure(flags: ["port": "8\n0"])
    }
    #expect(error?.description == "--port: '8?0' is not a port from 0 to 65535")
    #expect(throws: SettingError.self) { try configure(flags: ["host": "localhost"]) }
    #expect(throws: SettingError.self) { try configure(flags: ["data": ""]) }
  }

  @Test("does not repeat a Redis URL, which may hold a password")
  func secret() {
    let error = #expect(throws: SettingError.self) {
      try configure(["REDIS_URL": "redis://:secret@host:port"])
    }
    #expect(error?.description.contains("secret") == false)
  }

  @Test("gives a Redis without a password the one in the environment, and no other")
  func password() throws {
    func password(_ url: String, _ others: [String: String] = [:]) throws -> String? {
      let environment = ["REDIS_URL": url, "REDIS_PASSWORD": "p"].merging(others) { $1 }
      return try configure(environment).redis?.credentials.password
    }
    #expect(try password("redis://h") == "p")
    #expect(try password("redis://u:@h") == "p")
    #expect(try password("unix:/r") == "p")
    #expect(try password("redis://u:own@h") == "own")
    #expect(try password("redis://h", ["REDIS_PASSWORD": ""]) == nil)
    #expect(try password("redis://u:@h", ["REDIS_PASSWORD": ""]) == "")
    #expect(try configure(["REDIS_PASSWORD": "p"]).redis == nil)
  }

  @Test(
    "understands the whole of a value or refuses it",
    arguments: [
      ("TRUSTED_PROXIES", "10.0.0.0/8 192.168.0.0/16"), ("TRUSTED_PROXIES", "10.0.0.1 oops"),
      ("TRUSTED_PROXIES", "10.0.0.1,"), ("TRUSTED_PROXIES", ",10.0.0.1"),
      ("TRUSTED_PROXIES", "10.0.0.1;::1"), ("TRUSTED_PROXIES", "10.0.0.1\t,::1"),
      ("TRUSTED_PROXIES", "10.0.0.0/ 8"), ("TRUSTED_PROXIES", "10.0.0.0/8x"),
      ("TRUSTED_PROXIES", "10.0.0.0/+8"), ("TRUSTED_PROXIES", "10.0.0.1:80"),
      ("TRUSTED_PROXIES", " "), ("PORT", "8000 "), ("PORT", " 8000"), ("PORT", "8e3"),
      ("PORT", "0x10"), ("PORT", "+80"), ("PORT", "80,81"), ("PORT", "٨٠"),
      ("METRICS_PORT", "9000 "), ("THREADS", "2 "), ("THREADS", "0x2"),
      ("VISIT_TIMEOUT", "1e1"), ("VISIT_TIMEOUT", "5 "), ("VISIT_TIMEOUT", "5,5"),
      ("VISIT_TIMEOUT", "1.5.2"), ("MAX_CONNECTIONS", "1e3"), ("MAX_CONNECTIONS", "1_000"),
      ("MEMORY_LIMIT", "64Mi"), ("MEMORY_LIMIT", "64 "), ("MEMORY_LIMIT", "15"),
      ("MEMORY_LIMIT", "9999999999999"), ("LISTEN_HOST", "127.0.0.1:80"),
      ("LISTEN_HOST", "127.0.0.1 "), ("LISTEN_HOST", " ::1"), ("LISTEN_HOST", "127.0.0.1 x"),
      ("LISTEN_HOST", "[::1]"), ("LOG_FORMAT", "json "), ("LOG_LEVEL", "info,debug"),
      ("ACCESS_LOG", "true "), ("REDISAPP_SERVICE_HOST", "10.0.0.7:6380"),
      ("REDISAPP_SERVICE_HOST", "10.0.0.7 x"), ("REDISAPP_SERVICE_HOST", "redis://h"),
    ])
  func ignoredRest(_ name: String, _ value: String) {
    let error = #expect(throws: SettingError.self) { try configure([name: value]) }
    #expect(error?.name == name)
  }

  @Test("takes spaces around the elements of a list")
  func spaces() throws {
    #expect(try configure(["TRUSTED_PROXIES": " 10.0.0.1 ,  ::1 "]).trustedProxies.count == 2)
  }
}
