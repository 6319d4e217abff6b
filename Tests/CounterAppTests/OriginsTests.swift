import Testing

@testable import CounterApp

@Suite("The origins that may count")
struct OriginsTests {
  /// Whether a hit with these header fields counts in the namespace `blog`.
  private func isAllowed(_ fields: [String], by origins: Origins) -> Bool {
    let lines = ["POST /hit/blog/home HTTP/1.1", "Host: counter.example"] + fields + ["", ""]
    let header = Array(lines.joined(separator: "\r\n").utf8)
    return origins.allowHit(in: "blog", header: header.span)
  }

  private func origins(_ text: String) throws -> Origins {
    try GivenValue(name: "--origins", text: text).origins()
  }

  @Test(
    "let hits in that come from one of them, or from no browser",
    arguments: [
      [], ["User-Agent: curl"], ["Origin: https://blog.example"], ["ORIGIN:https://blog.example "],
      ["Origin: https://blog.example", "Referer: https://other.example/"],
      ["Origin: https://blog.example", "Sec-Fetch-Site: cross-site"],
      ["Origin: http://[::1]:8080"], ["Referer: https://blog.example"],
      ["Referer: https://blog.example/a/b?c#d"], ["Referer: https://blog.example?c"],
      ["Referer: http://[::1]:8080/", "Sec-Fetch-Site: same-origin"],
    ])
  func allowed(fields: [String]) throws {
    let origins = try origins("blog=https://blog.example,blog=http://[::1]:8080")
    #expect(isAllowed(fields, by: origins))
  }

  @Test(
    "keep all others out",
    arguments: [
      ["Origin: https://other.example"], ["Origin: http://blog.example"],
      ["Origin: https://blog.example:8443"], ["Origin: https://blog.example.evil.example"],
      ["Origin: https://blog.exampl"], ["Origin: https://www.blog.example"],
      ["Origin: https://blog.example/"], ["Origin: null"], ["Origin:"],
      ["Origin: null", "Referer: https://blog.example/"],
      ["Origin: https://blog.example", "Origin: https://blog.example"],
      ["Origin: https://blog.example", "Origin: https://other.example"],
      ["Referer: https://other.example/https://blog.example/"], ["Referer:"],
      ["Referer: https://blog.example@other.example/"], ["Referer: about:blank"],
      ["Referer: https://blog.example.evil.example/"], ["Referer: https:/blog.example/"],
      ["Referer: https://blog.example/", "Referer: https://blog.example/"],
      ["Sec-Fetch-Site: same-origin"], ["Sec-Fetch-Site: none"], ["Sec-Fetch-Site: cross-site"],
      ["Sec-Fetch-Site: same-site"],
    ])
  func refused(fields: [String]) throws {
    #expect(!isAllowed(fields, by: try origins("blog=https://blog.example")))
  }

  @Test("do not matter in another namespace")
  func otherNamespace() throws {
    #expect(isAllowed(["Origin: https://other.example"], by: try origins("shop=https://a.example")))
  }

  @Test(
    "are written as browsers write them",
    arguments: [
      ("HTTPS://Blog.Example:443", "https://blog.example"),
      ("http://blog.example:80", "http://blog.example"),
      ("http://blog.example:443", "http://blog.example:443"),
      ("https://blog.example:8443", "https://blog.example:8443"),
      ("http://127.0.0.1:8080", "http://127.0.0.1:8080"), ("https://[::1]", "https://[::1]"),
    ])
  func normalized(given: String, written: String) throws {
    #expect(isAllowed(["Origin: \(written)"], by: try origins("blog=\(given)")))
  }

  @Test("are read from a list, in which a namespace may come more than once")
  func list() throws {
    let origins = try origins(
      " blog=https://a.example , shop=https://b.example,blog=https://c.example")
    #expect(origins.count == 3)
    #expect(origins.namespaces == ["blog", "shop"])
    #expect(isAllowed(["Origin: https://a.example"], by: origins))
    #expect(isAllowed(["Origin: https://c.example"], by: origins))
    #expect(!isAllowed(["Origin: https://b.example"], by: origins))
    let repeated = try self.origins("blog=https://a.example,blog=https://A.example:443")
    #expect(repeated.count == 1)
  }

  @Test(
    "are refused where they are none",
    arguments: [
      "", "blog", "blog=", "=https://a.example", "https://a.example", "blog=a.example",
      "blog=https://a.example/", "blog=https://a.example/path", "blog=https://",
      "blog=https://:443",
      "blog=https://a.example:0", "blog=https://a.example:65536", "blog=https://a.example:x",
      "blog=https://a b", "blog=https://*.example", "blog=https://ä.example", "blog=null",
      "blog=ftp://a.example", "b/log=https://a.example", "..=https://a.example",
      "blog=https://user@a.example", "blog=https://a.example?", "blog=https://a.example,",
    ])
  func malformed(text: String) throws {
    let error = #expect(throws: SettingError.self) { try origins(text) }
    #expect(error?.name == "--origins")
    #expect(
      error?.reason.hasSuffix(
        "is not a namespace, '=' and an origin without a path, such as blog=https://blog.example")
        == true)
  }

  @Test("are 1,024 at most")
  func most() throws {
    func list(_ count: Int) -> String {
      (0..<count).map { "blog=https://\($0).example" }.joined(separator: ",")
    }
    #expect(try origins(list(1024)).count == 1024)
    let error = #expect(throws: SettingError.self) { try origins(list(1025)) }
    #expect(error?.reason == "more than 1024 origins")
  }

  @Test("belong to namespaces that there are")
  func unknownNamespace() throws {
    let list = "blog=https://a.example"
    #expect(try configure(flags: ["origins": list, "namespaces": "blog,shop"]).origins.count == 1)
    let error = #expect(throws: SettingError.self) {
      try configure(["ORIGINS": list], flags: ["namespaces": "shop"])
    }
    #expect(error?.description == "ORIGINS: blog is none of the namespaces that there are")
    #expect(try configure().origins.isEmpty)
  }
}
