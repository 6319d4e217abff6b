import Foundation
import Testing

@testable import TestSupport

@Suite("An Idempotency-Key", .serialized)
struct IdempotencyTests {
  private static let token = TestToken.field(TestToken.all)

  private func add(_ client: HTTPClient, _ target: String, key: String) throws -> HTTPResponse {
    try client.ask("POST \(target)", [Self.token, "Idempotency-Key: \(key)"])
  }

  @Test("adds once, and is answered the same number again, with a field that says so")
  func replay() throws {
    try withTokens { counter, redis in
      let client = try counter.client()
      #expect(try client.ask("GET /hit/blog/home").value == 1)
      let first = try add(client, "/hit/blog/home?by=10", key: "a")
      #expect(first.value == 11)
      #expect(first["Idempotent-Replayed"] == nil)
      #expect(try client.ask("GET /hit/blog/home").value == 12)
      for target in ["/hit/blog/home?by=10", "/hit/blog?key=home&by=10"] {
        let again = try add(client, target, key: "a")
        #expect(again.value == 11)
        #expect(again["Idempotent-Replayed"] == "true")
        #expect(again["Access-Control-Expose-Headers"]?.contains("Idempotent-Replayed") == true)
      }
      let text = try client.ask(
        "POST /hit/blog/home?by=10", [Self.token, "Idempotency-Key: a", "Accept: text/plain"])
      #expect(text.body == "11\n")
      #expect(text["Idempotent-Replayed"] == "true")
      let script = try add(client, "/hit/blog/home?by=10&callback=f", key: "a")
      #expect(script.body == #"/**/f({"value":11});"#)
      #expect(script["Idempotent-Replayed"] == "true")
      #expect(try client.ask("GET /get/blog/home").value == 12)
    }
  }

  @Test("is refused for another amount, and nothing is added")
  func otherAmount() throws {
    try withTokens { counter, redis in
      let client = try counter.client()
      #expect(try add(client, "/hit/blog/home", key: "a").value == 1)
      let before = try redis.contents()
      for target in ["/hit/blog/home?by=2", "/hit/blog/home?by=-1"] {
        expectProblem(
          try add(client, target, key: "a"), 422, "The Idempotency-Key was used for another amount."
        )
      }
      #expect(try add(client, "/hit/blog/home?by=1", key: "a").value == 1)
      #expect(try redis.contents() == before)
    }
  }

  @Test("belongs to its counter: another one has keys of its own")
  func scope() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      #expect(try add(client, "/hit/blog/home?by=5", key: "a").value == 5)
      #expect(try add(client, "/hit/blog/about?by=5", key: "a").value == 5)
      #expect(try add(client, "/hit/shop/home?by=7", key: "a").value == 7)
      #expect(try add(client, "/hit/blog/home?by=5", key: "A").value == 10)
      #expect(try add(client, "/hit/blog/home?by=5", key: "a").value == 5)
    }
  }

  @Test("may have 255 visible characters of any kind")
  func longest() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      let visible = String(decoding: (0x21...0x7E).map { UInt8($0) }, as: UTF8.self)
      let long = String((visible + visible + visible).prefix(255))
      for (index, key) in ["a", visible, long, "/", ":", "blog/home", "{1}:x"].enumerated() {
        #expect(try add(client, "/hit/blog/home", key: key).value == Int64(index + 1), "\(key)")
        #expect(try add(client, "/hit/blog/home", key: key).value == Int64(index + 1), "\(key)")
      }
    }
  }

  @Test("is remembered for a day")
  func life() throws {
    try withTokens { counter, redis in
      let client = try counter.client()
      #expect(try add(client, "/hit/blog/home", key: "a").value == 1)
      try waitUntil("the record expires some time") {
        guard case .list(let keys) = try redis.command("KEYS", "*once*"),
          let key = keys.first?.text, case .integer(let life) = try redis.command("TTL", key)
        else { return false }
        return (86_000...86_400).contains(life)
      }
    }
  }

  @Test("is not used up by an addition that was refused")
  func refused() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      #expect(try client.manage("PUT /counters/blog/home?value=\(Int64.max)").status == 201)
      #expect(try add(client, "/hit/blog/home?by=5", key: "a").status == 409)
      #expect(try client.manage("PUT /counters/blog/home?value=1").value == 1)
      #expect(try add(client, "/hit/blog/home?by=5", key: "a").value == 6)
    }
  }

  @Test("is answered the same by another replica, after a restart, and after one of Redis")
  func restarts() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/tokens"
      try TestToken.file.write(toFile: path, atomically: true, encoding: .utf8)
      try withRedis { redis in
        let flags = ["--redis", redis.url, "--tokens", path]
        func ask(_ port: UInt16) throws -> HTTPResponse {
          try add(HTTPClient(port: port), "/hit/blog/home?by=3", key: "order-1")
        }
        try withCounter(flags) { counter in
          try waitUntil("Redis answers") { try counter.client().get("/ready").status == 200 }
          #expect(try ask(counter.port).value == 3)
          try withCounter(flags) { replica in
            try waitUntil("Redis answers") { try replica.client().get("/ready").status == 200 }
            #expect(try ask(replica.port).value == 3)
            #expect(try replica.client().ask("GET /hit/blog/home").value == 4)
          }
          redis.crash()
          try redis.start()
          try waitUntil("Redis answers") { try counter.client().get("/ready").status == 200 }
          #expect(try ask(counter.port).value == 3)
        }
        try withCounter(flags) { restarted in
          try waitUntil("Redis answers") { try restarted.client().get("/ready").status == 200 }
          let again = try ask(restarted.port)
          #expect(again.value == 3)
          #expect(again["Idempotent-Replayed"] == "true")
          #expect(try restarted.client().ask("GET /get/blog/home").value == 4)
        }
      }
    }
  }

  @Test("adds once when it is sent fifty times at the same time, to two replicas")
  func concurrent() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/tokens"
      try TestToken.file.write(toFile: path, atomically: true, encoding: .utf8)
      try withRedis { redis in
        let flags = ["--redis", redis.url, "--tokens", path, "--threads", "2"]
        try withCounter(flags) { first in
          try withCounter(flags) { second in
            let ports = [first.port, second.port]
            for port in ports {
              try waitUntil("Redis answers") {
                try HTTPClient(port: port).get("/ready").status == 200
              }
            }
            for round in 1...5 {
              let answers = try concurrently(50) { index in
                let response = try HTTPClient(port: ports[index % 2]).ask(
                  "POST /hit/blog/home?by=4", [Self.token, "Idempotency-Key: round-\(round)"])
                return (response.value, response["Idempotent-Replayed"])
              }
              #expect(Set(answers.map(\.0)) == [Int64(4 * round)])
              #expect(answers.count { $0.1 == nil } == 1)
              #expect(
                try HTTPClient(port: ports[0]).ask("GET /get/blog/home").value == Int64(4 * round))
            }
          }
        }
      }
    }
  }
}
