import Foundation
import Testing

@testable import TestSupport

@Suite("The program on a Redis Cluster", .serialized)
struct RedisClusterTests {
  private static let token = "an-admin-token-of-the-tests"

  @Test("counts, lists, replays and shows each counter, whichever node it is on")
  func requests() throws {
    try withRedisCluster { cluster throws in
      // A single address is enough.
      let flags = ["--redis", cluster.nodes[1].url, "--threads", "2"]
      try withCounter(flags, environment: ["ADMIN_TOKEN": Self.token]) { counter in
        let client = try counter.client()
        #expect(try client.visit() == 1)
        for number in 0..<40 {
          #expect(try client.get("/hit/blog/\(number)").body == #"{"value":1}"#)
        }
        #expect(try client.get("/get/blog?key=1&key=2&key=3").status == 200)
        #expect(try client.get("/hit/blog/7/badge.svg").status == 200)
        let token = "Authorization: Bearer \(Self.token)"
        var keys: Set<String> = []
        var path: String? = "/counters/blog"
        while let next = path {
          let page = try client.request("GET", next, token)
          #expect(page.status == 200)
          let json = try JSONSerialization.jsonObject(with: Data(page.body.utf8)) as? [String: Any]
          for entry in json?["counters"] as? [[String: Any]] ?? [] {
            if let key = entry["key"] as? String { keys.insert(key) }
          }
          path = (json?["cursor"] as? String).map { "/counters/blog?cursor=\($0)" }
        }
        #expect(keys == Set((0..<40).map(String.init)))
        for _ in 0..<2 {
          let added = try client.request(
            "POST", "/hit/blog/once?by=5", token, "Idempotency-Key: k", "Content-Length: 0")
          #expect(added.body == #"{"value":5}"#)
        }
        #expect(!counter.log.contains("warning"))
      }
    }
  }

  @Test("sends the numbers of both replicas to streams, and tells which counters are out of reach")
  func streams() throws {
    try withRedisCluster { cluster throws in
      for node in cluster.nodes {
        _ = try node.command("CONFIG", "SET", "cluster-require-full-coverage", "no")
      }
      let flags = ["--redis", cluster.url, "--threads", "1", "--visit-timeout", "1"]
      try withCounter(flags) { first in
        try withCounter(flags) { second in
          let paths = ["/"] + (0..<40).map { "/blog/\($0)" }
          let streams = try paths.map { try EventStream(second, "/stream\($0)") }
          for stream in streams { #expect(try stream.nextNumber() == 0) }
          let client = try first.client()
          #expect(try client.visit() == 1)
          for path in paths.dropFirst() { #expect(try client.get("/hit\(path)").value == 1) }
          for stream in streams { #expect(try stream.nextNumber() == 1) }

          let lost = try cluster.primary(of: "hits")
          lost.crash()
          #expect(try streams[0].nextEvent().name == "problem")
          try waitUntil("the first replica has noticed, too", within: .seconds(30)) {
            first.log.contains("its node 127.0.0.1:\(lost.port): ")
          }
          var reached: [Int] = []
          for (index, path) in paths.enumerated().dropFirst() {
            let response = try client.get("/hit\(path)")
            if response.status == 200 { reached.append(index) }
          }
          #expect(!reached.isEmpty && reached.count < 40)
          for (index, stream) in streams.enumerated().dropFirst() {
            if reached.contains(index) {
              #expect(try stream.nextNumber() == 2)
            } else {
              #expect(try stream.nextEvent().name == "problem")
            }
          }
          try lost.start()
          #expect(try streams[0].nextNumber() == 1)
        }
      }
    }
  }

  @Test("reaches each node encrypted")
  func encrypted() throws {
    try withTemporaryFolder { folder in
      let certificates = try Certificates(in: folder)
      try withRedisCluster(certificates: certificates) { cluster throws in
        let flags = ["--redis", try cluster.encryptedURL, "--threads", "1"]
        try withCounter(flags + ["--redis-ca", certificates.path("authority")]) { counter in
          let client = try counter.client()
          #expect(try client.visit() == 1)
          for number in 0..<20 {
            #expect(try client.get("/hit/blog/\(number)").body == #"{"value":1}"#)
          }
          #expect(!counter.log.contains("warning"))
        }
      }
    }
  }

  @Test("says which node is away, and goes on with the others")
  func nodeAway() throws {
    try withRedisCluster { cluster throws in
      for node in cluster.nodes {
        _ = try node.command("CONFIG", "SET", "cluster-require-full-coverage", "no")
      }
      let flags = ["--redis", cluster.url, "--threads", "1", "--visit-timeout", "1"]
      try withCounter(flags) { counter in
        let client = try counter.client()
        #expect(try client.visit() == 1)
        let lost = try #require(
          try cluster.nodes.first { $0 !== (try cluster.primary(of: "hits")) })
        lost.crash()
        try waitUntil("the log names the node", within: .seconds(30)) {
          counter.log.contains("its node 127.0.0.1:\(lost.port): ")
        }
        let ready = try client.get("/ready")
        #expect(ready.status == 200)
        #expect(ready.body == "ready, but a node of Redis does not answer")
        #expect(try client.visit() == 2)
        let statuses = try (0..<12).map { try client.get("/hit/blog/\($0)").status }
        #expect(Set(statuses) == [200, 503])
        try lost.start()
        try waitUntil("it is found again", within: .seconds(30)) {
          counter.linesLogged(with: "Redis found again") == 1
        }
        #expect(try client.get("/ready").body == "ready")
        for node in cluster.nodes { node.crash() }
        try waitUntil("nobody can be counted", within: .seconds(30)) {
          try client.get("/ready").status == 503
        }
      }
    }
  }

  @Test("is not ready while the cluster is down, and says in the log when it serves again")
  func clusterDown() throws {
    try withRedisCluster { cluster throws in
      let flags = ["--redis", cluster.url, "--threads", "1", "--visit-timeout", "1"]
      try withCounter(flags) { counter in
        let client = try counter.client()
        #expect(try client.visit() == 1)
        let slot = "\(try cluster.slot(of: "unrelated"))"
        for node in cluster.nodes { _ = try node.command("CLUSTER", "DELSLOTS", slot) }
        try waitUntil("it is not ready", within: .seconds(30)) {
          try client.get("/ready").status == 503
        }
        #expect(try client.get("/").status == 503)
        #expect(counter.linesLogged(with: "visits cannot be counted: CLUSTERDOWN") == 1)
        #expect(counter.linesLogged(with: "counted again") == 0)
        _ = try cluster.nodes[0].command("CLUSTER", "ADDSLOTS", slot)
        try waitUntil("it is ready", within: .seconds(30)) {
          try client.get("/ready").body == "ready"
        }
        try waitUntil("the log says so") { counter.linesLogged(with: "counted again") == 1 }
        #expect(try client.visit() == 2)
      }
    }
  }
}
