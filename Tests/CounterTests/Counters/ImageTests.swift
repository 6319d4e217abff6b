import Foundation
import FoundationXML
import Testing

@testable import TestSupport

@Suite("An image of a counter", .serialized)
struct ImageTests {
  private static let svg = ["badge.svg", "digits.svg", "shield"]
  private static let all = svg + ["badge.json", "pixel.gif"]

  /// What an image says of itself: the title of an SVG, or the message of JSON.
  private func title(_ response: HTTPResponse) -> String? {
    if let json = response.json { return json["message"] as? String }
    guard let match = response.body.firstMatch(of: /<title>(.*?)<\/title>/) else { return nil }
    return String(match.1)
  }

  /// The image is 200, may be shown by any page, and is kept by no one.
  private func expectImage(
    _ response: HTTPResponse, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let type =
      switch name {
      case "badge.json": "application/json"
      case "pixel.gif": "image/gif"
      default: "image/svg+xml; charset=utf-8"
      }
    #expect(response.status == 200, sourceLocation: sourceLocation)
    #expect(response["Content-Type"] == type, sourceLocation: sourceLocation)
    #expect(
      response["Cache-Control"] == "no-cache, no-store, max-age=0, must-revalidate",
      sourceLocation: sourceLocation)
    #expect(response["Access-Control-Allow-Origin"] == "*", sourceLocation: sourceLocation)
    #expect(
      response["Cross-Origin-Resource-Policy"] == "cross-origin", sourceLocation: sourceLocation)
    #expect(response["X-Content-Type-Options"] == "nosniff", sourceLocation: sourceLocation)
    if type.hasPrefix("image/svg") {
      #expect(
        response["Content-Security-Policy"]
          == "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        sourceLocation: sourceLocation)
      #expect(
        XMLParser(data: Data(response.body.utf8)).parse(), "\(response.body.prefix(300))",
        sourceLocation: sourceLocation)
    }
  }

  @Test("counts below /hit and reads below /get, and HEAD counts nothing")
  func counting() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      var number = 0
      for name in Self.all {
        number += 1
        let hit = try client.ask("GET /hit/blog/home/\(name)")
        expectImage(hit, name)
        let get = try client.ask("GET /get/blog/home/\(name)")
        expectImage(get, name)
        #expect(get.body == hit.body)
        let digits = name == "badge.json" ? "\(number)" : "home: \(number)"
        if name != "pixel.gif" { #expect(title(hit) == digits) }
        for verb in ["hit", "get"] {
          let head = try client.ask("HEAD /\(verb)/blog/home/\(name)")
          expectImage(head.withBody(of: get), name)
          #expect(head["Content-Length"] == get["Content-Length"])
          #expect(try client.ask("POST /\(verb)/blog/home/\(name)").status == 405)
        }
        #expect(try client.ask("GET /get/blog/home").value == Int64(number))
      }
    }
  }

  @Test("is found for any key, in the path or in the query, and no counter is named like one")
  func keys() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      for (index, line) in [
        "GET /hit/blog/a%2Fb/badge.svg", "GET /hit/blog/badge.svg?key=a%2Fb",
        "GET /hit/blog/badge.svg?key=a/b&color=red", "GET /hit/blog/badge.svg?style=flat&key=a/b",
      ].enumerated() {
        let response = try client.ask(line)
        expectImage(response, "badge.svg")
        #expect(title(response) == "a/b: \(index + 1)", "\(line)")
      }
      #expect(title(try client.ask("GET /get/blog/digits.svg?key=a/b")) == "a/b: 4")
      #expect(title(try client.ask("GET /get/blog/badge.json?key=a/b")) == "4")
      expectImage(try client.ask("GET /hit/blog/pixel.gif?key=a/b"), "pixel.gif")
      #expect(try client.ask("GET /get/blog?key=a/b").value == 5)
      let several = try client.ask("GET /get/blog/badge.svg?key=a&key=b")
      #expect(title(several) == "unavailable. Only /get takes several keys.")
      // Without a key in the query, the path names a counter.
      #expect(try client.ask("GET /hit/blog/badge.svg").value == 1)
      #expect(try client.ask("GET /hit/blog/badge.svg?label=x").value == 2)
      #expect(try client.ask("POST /hit/blog/badge.svg?key=a/b").value == 3)
      let own = try client.ask("GET /hit/blog/badge.svg/badge.svg")
      #expect(title(own) == "badge.svg: 4")
      #expect(try client.ask("GET /hit/blog/home/badge.png").status == 404)
    }
  }

  @Test("shows what its parameters ask for")
  func parameters() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      #expect(try client.manage("PUT /counters/blog/home?value=1234").status == 201)
      func get(_ target: String) throws -> HTTPResponse {
        let response = try client.ask("GET /get/blog/home/\(target)")
        expectImage(response, String(target.prefix { $0 != "?" }))
        return response
      }
      #expect(title(try get("badge.svg?label=Visits+%26%20more")) == "Visits &amp; more: 1234")
      #expect(title(try get("badge.svg?label=")) == "1234")
      #expect(title(try get("badge.svg?abbreviated=true")) == "home: 1.2k")
      #expect(title(try get("badge.svg?base=-1000")) == "home: 234")
      #expect(try get("badge.svg?color=blue").body.contains("#007ec6"))
      #expect(try get("badge.svg?color=%23abc").body.contains("#aabbcc"))
      #expect(try get("badge.svg?labelColor=RED").body.contains("#e05d44"))
      #expect(try get("badge.svg?style=for-the-badge").body.contains("height=\"28\""))
      let logo = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
      let encoded = logo.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
      #expect(try get("badge.svg?logo=\(encoded)").body.contains("xlink:href=\"\(logo)\""))
      #expect(title(try get("digits.svg?min=8&theme=led&scheme=dark")) == "home: 00001234")
      #expect(
        try get("badge.json?label=x&color=4c1&style=plastic").body
          == ##"{"schemaVersion":1,"label":"x","message":"1234","color":"#44cc11","style":"plastic"}"##
      )
      let shield = try get(
        "shield?text=n&bgcolor=f00&textcolor=000&fontsize=12&font=arial&style=flat-square")
      #expect(title(shield) == "n: 1234")
      #expect(shield.body.contains("#ff0000") && shield.body.contains("#000000"))
      #expect(title(try get("shield?style=plastic-simple")) == "1234")
      // A logo of 8 KiB that is percent-encoded, after a long label.
      let data =
        "data:image/svg+xml;base64,PHN2" + String(repeating: "Zy8+AAAAAAAAAA//", count: 509)
      let long = data.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
      let large = try get("badge.svg?logo=\(long)")
      #expect(data.utf8.count == 8174 && large.body.contains(data))
    }
  }

  @Test("of a request that breaks a rule is 200, says why, and counts nothing")
  func badRequests() throws {
    try withTokens { counter, redis in
      let client = try counter.client()
      let before = try redis.contents()
      let turned = "a%E2%80%AEb"
      let label =
        "A label has at most 64 characters, and none that controls text, changes its direction or is invisible."
      let color =
        "A color is one of shields.io or CSS by its name, or three or six hexadecimal digits."
      let logo =
        "A logo is data:image/TYPE;base64,DATA of at most 8192 bytes, TYPE one of svg+xml, png, jpeg, gif, webp."
      let long = String(repeating: "x", count: 10_240)
      let malformed = "The query is malformed: two hexadecimal digits follow a percent sign."
      let requests: [(String, String)] = [
        ("home/badge.svg?label=\(turned)", label), ("home/badge.svg?label=%00", label),
        ("home/badge.svg?label=%0A", label), ("home/badge.svg?label=%FF", label),
        ("home/badge.svg?label=\(long)", label), ("\(turned)/badge.svg", label),
        ("home/badge.svg?color=nothing", color), ("home/badge.svg?labelColor=url(%23s)", color),
        ("home/badge.svg?color=%22%3E%3Cscript%3E", color),
        ("home/badge.svg?logo=data:text/html;base64,PHN2Zy8%2B", logo),
        ("home/badge.svg?logo=https://example.org/x.png", logo),
        ("home/badge.svg?logo=data:image/png;base64,\(String(repeating: "A", count: 8192))", logo),
        (
          "home/badge.svg?style=round",
          "A style is flat, flat-square, plastic, for-the-badge or social."
        ),
        ("home/badge.svg?abbreviated=yes", "abbreviated is true or false."),
        ("home/badge.svg?base=1.5", "base is an integer of 64 bits."),
        ("home/digits.svg?theme=neon", "A theme is odometer, flip, led or plain."),
        ("home/digits.svg?scheme=blue", "A scheme is auto, light or dark."),
        ("home/digits.svg?min=21", "min is a number from 1 to 20."),
        ("home/shield?bgcolor=x", color),
        ("home/badge.svg?color=red&color=red", "Only the parameter key can be repeated."),
        ("home/shield?text=a&label=b", "Only the parameter key can be repeated."),
        ("home/badge.svg?label=%", malformed), ("badge.svg?%zz=1&key=home", malformed),
        ("badge.svg?key=home&label=%", malformed),
        ("%00/badge.svg", "A key has no control characters."),
        (
          "a%2F../badge.svg", "A key has no segment '.' or '..', which clients and proxies resolve."
        ),
        ("\(String(repeating: "k", count: 129))/digits.svg", "A key has 1 to 128 bytes."),
      ]
      for (target, reason) in requests {
        let name = String(target.split(separator: "/").last!.prefix { $0 != "?" })
        let image = target.contains("?logo=https") ? "badge.svg" : name
        let response = try client.ask("GET /hit/blog/\(target)")
        let kind = Self.all.first { "/\(target)".contains("/\($0)") } ?? image
        expectImage(response, kind)
        let title = self.title(response) ?? ""
        let escaped = reason.replacing("'", with: "&apos;")
        #expect(title.hasSuffix("unavailable. \(escaped)"), "\(target.prefix(60)): \(title)")
        #expect(!response.body.contains("<script") && !response.body.contains("\u{202E}"))
      }
      let json = try client.ask("GET /hit/b%20d/home/badge.json?label=x")
      #expect(json.json?["isError"] as? Bool == true)
      #expect(json.json?["message"] as? String == "unavailable")
      #expect(json.json?["label"] as? String == "x")
      expectImage(try client.ask("GET /hit/blog/%00/pixel.gif"), "pixel.gif")
      #expect(try redis.contents() == before)
      // What is not a request for an image any more.
      #expect(try client.ask("GET /hit/blog/home/badge.svg?label=\(long)\(long)").status == 414)
    }
  }

  @Test("of what cannot be counted or read is 200 and says so")
  func refusals() throws {
    try withTokens(["--namespaces", "blog", "--max-counters", "1"]) { counter, redis in
      let client = try counter.client()
      func title(of line: String) throws -> String? {
        let response = try client.ask(line)
        expectImage(response, "badge.svg")
        return self.title(response)
      }
      #expect(
        try title(of: "GET /get/blog/home/badge.svg")
          == "home: unavailable. The counter does not exist.")
      #expect(try title(of: "GET /hit/blog/home/badge.svg") == "home: 1")
      #expect(
        try title(of: "GET /hit/shop/home/badge.svg?style=social&label=x")
          == "x: unavailable. This server does not have this namespace.")
      #expect(
        try title(of: "GET /hit/blog/other/digits.svg")
          == "other: unavailable. There are as many counters as may be; existing ones go on counting."
      )
      #expect(
        try client.manage("PUT /counters/blog/home?value=9223372036854775807").status == 200)
      #expect(
        try title(of: "GET /hit/blog/home/badge.svg")
          == "home: unavailable. The number would leave 64 bits.")
      #expect(
        try title(of: "GET /get/blog/home/badge.svg?base=5") == "home: 9223372036854775807")
      expectImage(try client.ask("GET /get/blog/nobody/pixel.gif"), "pixel.gif")
    }
  }

  @Test("comes within four seconds, however long visits may wait, and counts as late")
  func late() throws {
    try withMetrics(["--threads", "1", "--visit-timeout", "8"]) { counter, redis, port in
      let client = try counter.client()
      #expect(title(try client.ask("GET /hit/blog/home/badge.svg")) == "home: 1")
      redis.freeze()
      let clock = ContinuousClock()
      let start = clock.now
      let targets = Self.all.map { "/hit/blog/home/\($0)" } + ["/get/blog/home/badge.svg"]
      let waiting = try targets.map { target in
        let client = try counter.client(limit: .seconds(20))
        try client.send("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n")
        return client
      }
      let plain = try counter.client(limit: .seconds(20))
      try plain.send("GET /hit/blog/home HTTP/1.1\r\nHost: x\r\n\r\n")
      for (client, target) in zip(waiting, targets) {
        let response = try client.readResponse()
        expectImage(response, String(target.split(separator: "/").last!))
        if !target.hasSuffix("gif"), !target.hasSuffix("json") {
          #expect(
            title(response)
              == "home: unavailable. Redis does not answer in time. Please try again.")
        }
      }
      let took = clock.now - start
      #expect(took >= .seconds(2.9) && took < withSlack(.seconds(4)), "\(took)")
      redis.thaw()
      // The visits of the images count after all, as that of the other client does.
      #expect(try plain.readResponse().value == 7)
      #expect(title(try client.ask("GET /get/blog/home/badge.svg")) == "home: 7")
      let figures = try Scrape(port: port)
      #expect(figures["counter_images_total", "late"] == 6)
      #expect(figures["counter_images_total", "shown"] == 2)
      #expect(figures["counter_hits_total", "unavailable"] == 5)
      #expect(figures["counter_hits_total", "counted"] == 2)
    }
  }

  @Test("says that Redis is away when visits may wait for a shorter time")
  func away() throws {
    try withMetrics(["--threads", "1", "--visit-timeout", "0.3"]) { counter, redis, port in
      redis.freeze()
      for name in Self.svg {
        let response = try counter.client().ask("GET /hit/blog/home/\(name)?label=n")
        expectImage(response, name)
        #expect(
          title(response) == "n: unavailable. Redis does not answer in time. Please try again.")
      }
      redis.thaw()
      #expect(try Scrape(port: port)["counter_images_total", "unavailable"] == 3)
    }
  }

  @Test("gets a number of its own among thousands, whatever else is asked for")
  func exactness() throws {
    try withTokens { counter, redis in
      let port = counter.port
      let numbers = try concurrently(8) { index in
        let client = try HTTPClient(port: port, limit: .seconds(30))
        return try (0..<250).map { round in
          let name = Self.svg[(index + round) % 3]
          let response = try client.ask("GET /hit/blog/home/\(name)?label=")
          return Int(title(response) ?? "") ?? -1
        }
      }
      #expect(numbers.flatMap(\.self).sorted() == Array(1...2000))
    }
  }
}

extension HTTPResponse {
  /// The same response with the body of another one, for a HEAD.
  fileprivate func withBody(of other: HTTPResponse) -> HTTPResponse {
    HTTPResponse(statusLine: statusLine, fields: fields, body: other.body)
  }
}
