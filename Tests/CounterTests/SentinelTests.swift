import Foundation
import Testing

@testable import TestSupport

/// The program with real sentinels.
@Suite("A Redis behind sentinels", .serialized)
struct SentinelTests {
  @Test("is followed to the replica that takes over, and no number is lost or given twice")
  func failover() throws {
    try withRedisGroup(sentinelPassword: "pass-2f7d") { group throws in
      try withTemporaryFolder { folder throws in
        let file = "\(folder)/password"
        try "pass-2f7d\n".write(toFile: file, atomically: true, encoding: .utf8)
        let flags = ["--redis", group.url, "--sentinel-password-file", file]
        try withCounter(flags + ["--min-replicas", "1", "--threads", "2", "--visit-timeout", "60"])
        {
          counter throws in
          let visitors = Visitors(32, ports: [counter.port], limit: .seconds(120))
          try visitors.waitUntilAnswered(more: 500)
          let old = try group.primary()
          old.crash()
          let new = try group.awaitFailover(from: old)
          try visitors.waitUntilAnswered(more: 500, within: .seconds(60))
          let tally = try visitors.stop()
          let count = Int64(try new.hits ?? "0") ?? -1
          #expect(Findings(tally, count: count).isExact)
          #expect(try counter.client().get("/ready").status == 200)
          try counter.waitUntilLogged("Redis found again at redis-sentinel://127.0.0.1:")
          #expect(!counter.log.contains("pass-2f7d"))
        }
      }
    }
  }

  @Test("is not found under a wrong name, or with a wrong password: the log and /ready say why")
  func notFound() throws {
    try withRedisGroup(sentinelPassword: "right") { group throws in
      let password = ["SENTINEL_PASSWORD": "right"]
      for (url, environment, reason) in [
        (group.url + "x", password, "it does not know mx"),
        (group.url, [:], "NOAUTH Authentication required."),
        (group.url, ["SENTINEL_PASSWORD": "pass-2f7d"], "WRONGPASS"),
        (group.url, password.merging(["SENTINEL_USER": "nobody"]) { $1 }, "WRONGPASS"),
      ] {
        try withCounter(["--redis", url, "--threads", "1"], environment: environment) { counter in
          try counter.waitUntilLogged("no sentinel tells the primary: 127.0.0.1:")
          #expect(counter.log.contains(reason), "\(counter.log.prefix(500))")
          #expect(!counter.log.contains("pass-2f7d"))
          let ready = try counter.client().get("/ready")
          #expect(ready.status == 503)
          #expect(ready.body == "no sentinel tells the primary of Redis")
        }
      }
      try withCounter(
        ["--redis", group.url], environment: password.merging(["SENTINEL_USER": "default"]) { $1 }
      ) { counter throws in
        #expect(try counter.visit() == 1)
      }
    }
  }

  @Test("needs no credentials of sentinels when there are none")
  func useless() throws {
    try withTemporaryFolder { folder throws in
      try "p".write(toFile: "\(folder)/p", atomically: true, encoding: .utf8)
      for (flags, name, reason) in [
        (["--sentinel-password-file", "p"], "--sentinel-password-file", "names no sentinels"),
        (["--sentinel-user", "u"], "--sentinel-user", "names no sentinels"),
        (
          ["--redis", "redis-sentinel://h#m", "--sentinel-user", "u"], "--sentinel-user",
          "there is no password"
        ),
        (
          ["--redis", "redis-sentinel://h#m", "--sentinel-password-file", "none"],
          "--sentinel-password-file", "No such file"
        ),
      ] {
        let redis = flags.contains("--redis") ? [] : ["--redis", "redis://127.0.0.1:1"]
        let counter = try CounterProcess.run(redis + flags, folder: folder)
        expectRefusal(by: counter, code: 64, naming: name)
        #expect(counter.errors.contains(reason), "\(counter.errors.prefix(300))")
      }
    }
  }
}
