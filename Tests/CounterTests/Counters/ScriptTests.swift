import Foundation
import Testing

@testable import TestSupport

@Suite("The script for the pages of others", .serialized)
struct ScriptTests {
  @Test("is sent to any page, without comments, and small")
  func whole() throws {
    try withCounterAndRedis { counter, _ in
      let response = try counter.client().get("/counter.js")
      #expect(response.status == 200)
      #expect(response["Content-Type"] == "text/javascript; charset=utf-8")
      #expect(response["X-Content-Type-Options"] == "nosniff")
      #expect(response["Access-Control-Allow-Origin"] == "*")
      #expect(response["Cross-Origin-Resource-Policy"] == "cross-origin")
      #expect(response["Cache-Control"] == "public, max-age=3600")
      let lines = response.body.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.last == "", "it ends with a line feed")
      for line in lines.dropLast() {
        #expect(!line.isEmpty && !line.hasPrefix(" ") && !line.hasPrefix("//"))
      }
      #expect(try gzipped(response.body) < 2048)
    }
  }

  @Test("is not sent to a client that has it", arguments: ["GET", "HEAD"])
  func unchanged(method: String) throws {
    try withCounterAndRedis { counter, _ in
      let client = try counter.client()
      let whole = try client.ask("\(method) /counter.js")
      let tag = try #require(whole["ETag"])
      #expect(tag.wholeMatch(of: /"[0-9a-f]+"/) != nil)
      let known = [
        tag, "W/\(tag)", "*", "\"x\", \(tag)", "W/\"x\",W/\(tag) , \"y\"", "\"a,b\", \(tag)",
        " \(tag) ",
      ]
      for value in known {
        let response = try client.ask("\(method) /counter.js", ["If-None-Match: \(value)"])
        #expect(response.status == 304, "\(value)")
        #expect(response["Content-Type"] == nil)
        for name in [
          "ETag", "Cache-Control", "Content-Length", "Access-Control-Allow-Origin",
          "Cross-Origin-Resource-Policy",
        ] {
          #expect(response[name] == whole[name], "\(name)")
        }
      }
      let twoFields = try client.ask(
        "\(method) /counter.js", ["If-None-Match: \"x\"", "If-None-Match: \(tag)"])
      #expect(twoFields.status == 304)
      let bare = tag.dropFirst().dropLast()
      let others = [
        "\"x\"", "\"\"", "", "\(bare)", "\"\(bare)", "\"x\(bare)\"", "\"\(bare.dropLast())\"", "**",
        "\"*\"", "\"\(bare.uppercased())X\"", "\"x\"\(bare)\"y\"",
      ]
      for value in others {
        let response = try client.ask("\(method) /counter.js", ["If-None-Match: \(value)"])
        #expect(response.status == 200, "\(value)")
      }
    }
  }

  @Test("counts nothing and takes no other method")
  func others() throws {
    try withCounterAndRedis { counter, redis in
      let client = try counter.client()
      #expect(try client.ask("POST /counter.js").status == 405)
      #expect(try client.ask("GET /counter.js?x").status == 200)
      #expect(try client.ask("GET /counter.js/").status == 404)
      #expect(try redis.countedCounters() == 0)
      #expect(try redis.hits == nil)
    }
  }

  /// How many bytes a text has that gzip has compressed.
  private func gzipped(_ text: String) throws -> Int {
    try withTemporaryFolder { folder in
      let path = "\(folder)/text"
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      let gzip = Process()
      gzip.executableURL = URL(filePath: "/usr/bin/gzip")
      gzip.arguments = ["--no-name", path]
      try gzip.run()
      gzip.waitUntilExit()
      return try #require(FileManager.default.attributesOfItem(atPath: path + ".gz")[.size] as? Int)
    }
  }
}
