import BasicContainers
import Testing

@testable import HTTP

/// Parses a text as one read would deliver it.
private func parse(_ text: String, _ limits: Limits = Limits()) throws(RequestError) -> RequestHead?
{
  try parse(Array(text.utf8), limits)
}

private func parse(_ bytes: [UInt8], _ limits: Limits = Limits()) throws(RequestError)
  -> RequestHead?
{
  var buffer = ByteBuffer()
  buffer.append(copying: bytes)
  return try RequestParser.parse(buffer, from: 0, limits)
}

private func refusal(of text: String, _ limits: Limits = Limits()) -> RequestError? {
  do {
    _ = try parse(text, limits)
    return nil
  } catch {
    return error
  }
}

@Suite("The request parser")
struct RequestParserTests {
  @Test("understands a plain GET")
  func plainGet() throws {
    let text = "GET /health?x=1 HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n"
    let head = try #require(try parse(text + "GET"))
    #expect(head.method == .get)
    #expect(head.target == .path(4..<11, query: 12..<15))
    #expect(head.minorVersion == 1)
    #expect(head.isPersistent)
    #expect(head.body == .none)
    #expect(!head.expectsContinue)
    #expect(head.length == text.utf8.count)
  }

  @Test("tells a plain path from others, by each of its bytes")
  func plainPath() throws {
    let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._")
    for byte: UInt8 in 0x21...0x7E {
      let character = Character(UnicodeScalar(byte))
      guard !"#?%".contains(character) else { continue }
      for path in ["/\(character)", "/a-path-of-20-bytes/\(character)/b", "/a/\(character)?x=%41"] {
        let head = try parse("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head?.hasPlainPath == plain.contains(character), "\(path)")
      }
    }
    #expect(try parse("GET /%41 HTTP/1.1\r\nHost: a\r\n\r\n")?.hasPlainPath == false)
  }

  @Test("finds the same request wherever it starts in the bytes")
  func offset() throws {
    let text = "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    var buffer = ByteBuffer()
    buffer.append(copying: Array("before".utf8))
    buffer.append(copying: Array(text.utf8))
    let head = try #require(try RequestParser.parse(buffer, from: 6, Limits()))
    #expect(head.method == .head)
    #expect(head.target == .path(11..<12, query: 12..<12))
    #expect(head.minorVersion == 0)
    #expect(head.isPersistent)
    #expect(head.length == text.utf8.count)
  }

  static let valid = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /a%2fb?%zz HTTP/1.1\r\nHost: a:80\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a%41-b_~.example:\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nhost:[::1]:8000\r\nTransfer-Encoding:\tchunked \r\nX: \u{e9}\r\n\r\n",
    "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nConnection: te, close\r\nEmpty:\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
  ]

  @Test("waits for the rest at every point a request can be cut at", arguments: valid)
  func everyPrefix(_ text: String) throws {
    let bytes = Array(text.utf8)
    for count in 0..<bytes.count {
      #expect(try parse(Array(bytes[..<count])) == nil, "after \(count) bytes")
    }
    #expect(try parse(bytes)?.length == bytes.count)
  }

  @Test(
    "never takes a refusal back when more bytes come",
    arguments: [
      "GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/3.0\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
      "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD a HTTP/1.1\r\nHost: a\r\n\r\n",
      "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    ])
  func everyPrefixOfInvalid(_ text: String) {
    let bytes = Array(text.utf8)
    var first: RequestError?
    for count in 0...bytes.count {
      let found = refusal(of: String(decoding: bytes[..<count], as: UTF8.self))
      if first != nil { #expect(found == first) }
      first = first ?? found
    }
    #expect(first != nil)
  }

  @Test(
    "tells the methods apart",
    arguments: [
      ("GET", Method.get), ("HEAD", .head), ("OPTIONS", .options), ("POST", .post), ("PUT", .put),
      ("DELETE", .delete), ("get", .other), ("PATCH", .other), ("POS", .other), ("POSTS", .other),
      ("XXXXXXXXGET", .other), ("XXOPTIONS", .other), ("A", .other),
    ])
  func methods(_ name: String, _ method: Method) throws {
    #expect(try parse("\(name) / HTTP/1.1\r\nHost: a\r\n\r\n")?.method == method)
  }

  @Test(
    "finds the path in every form of target",
    arguments: [
      ("/", "/"), ("/a?b?c", "/a"), ("/?", "/"), ("http://h/p?q", "/p"), ("HTTP://h:1", ""),
      ("https://h?q", ""),
    ])
  func targets(_ target: String, _ path: String) throws {
    let text = "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n"
    guard case .path(let range, _) = try #require(try parse(text)).target else {
      Issue.record("no path")
      return
    }
    #expect(Array(text.utf8)[range].elementsEqual(path.utf8))
  }

  @Test(
    "tells whether the connection stays",
    arguments: [
      ("1.1", "", true), ("1.1", "Connection: close\r\n", false),
      ("1.1", "Connection: keep-alive, Close\r\n", false), ("1.1", "Connection: closed\r\n", true),
      ("1.0", "", false), ("1.0", "Connection: Keep-Alive\r\n", true),
      ("1.0", "Connection: keep-alive\r\nConnection: close\r\n", false), ("1.2", "", true),
    ])
  func persistence(_ version: String, _ field: String, _ stays: Bool) throws {
    let text = "GET / HTTP/\(version)\r\nHost: a\r\n\(field)\r\n"
    #expect(try parse(text)?.isPersistent == stays)
  }

  @Test(
    "tells how the body ends",
    arguments: [
      ("Content-Length: 0", BodyFraming.none), ("Content-Length: 7", .length(7)),
      ("content-LENGTH:0012", .length(12)), ("Transfer-Encoding: chunked", .chunked),
      ("Transfer-Encoding: , Chunked ,", .chunked),
    ])
  func framing(_ field: String, _ framing: BodyFraming) throws {
    #expect(try parse("POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n")?.body == framing)
  }

  @Test(
    "refuses what two parsers could read in two ways, and what is no HTTP",
    arguments: [
      (" / HTTP/1.1\r\n", RequestError.malformedRequestLine),
      ("GET\t/ HTTP/1.1\r\n", .malformedRequestLine),
      ("GET  / HTTP/1.1\r\n", .malformedTarget), ("GET / http/1.1\r\n", .malformedRequestLine),
      ("GET / HTTP/1.1 \r\n", .malformedRequestLine), ("GET / HTTP/1.1\n", .malformedRequestLine),
      ("GET / HTTP/11\r\n", .malformedRequestLine), ("\rGET / HTTP/1.1\r\n", .malformedRequestLine),
      ("\nGET / HTTP/1.1\r\n", .malformedRequestLine), ("GET /\r\n", .malformedTarget),
      ("GET / HTTP/2.0\r\n", .unsupportedVersion), ("GET / HTTP/0.9\r\n", .unsupportedVersion),
      ("GET a HTTP/1.1\r\n", .malformedTarget), ("GET * HTTP/1.1\r\n", .malformedTarget),
      ("GET /#a HTTP/1.1\r\n", .malformedTarget), ("GET /\u{7f} HTTP/1.1\r\n", .malformedTarget),
      ("GET /\u{e9} HTTP/1.1\r\n", .malformedTarget), ("GET /%4 HTTP/1.1\r\n", .malformedTarget),
      ("GET /%4?a HTTP/1.1\r\n", .malformedTarget), ("GET http:/// HTTP/1.1\r\n", .malformedTarget),
      ("GET http://u@h/ HTTP/1.1\r\n", .malformedTarget),
      ("GET http://:80/ HTTP/1.1\r\n", .malformedTarget),
      ("GET http://h:a/ HTTP/1.1\r\n", .malformedTarget),
      ("CONNECT a:1 HTTP/1.1\r\n", .unknownMethod), ("POST a:1 HTTP/1.1\r\n", .malformedTarget),
    ])
  func requestLine(_ line: String, _ expected: RequestError) {
    #expect(refusal(of: line + "Host: a\r\n\r\n") == expected)
  }

  @Test(
    "refuses fields that are malformed or contradict each other",
    arguments: [
      ("Host: a\r\n folded: b\r\n", RequestError.malformedField),
      ("Host: a\r\nA : b\r\n", .malformedField),
      ("Host: a\r\n: b\r\n", .malformedField), ("Host: a\r\nA\r\n", .malformedField),
      ("Host: a\r\nA: b\n", .malformedField), ("Host: a\r\nA: b\rc\r\n", .malformedField),
      ("Host: a\r\nA: 123456789\u{0}\r\n", .malformedField),
      ("Host: a\r\n\u{e9}: b\r\n", .malformedField),
      ("", .malformedHost), ("Host: a\r\nHost: a\r\n", .malformedHost),
      ("Host: a b\r\n", .malformedHost),
      ("Host: a/b\r\n", .malformedHost), ("Host: a, b\r\n", .malformedHost),
      ("Host: a:b\r\n", .malformedHost), ("Host: a:80:80\r\n", .malformedHost),
      ("Host: ::1\r\n", .malformedHost), ("Host: [::1\r\n", .malformedHost),
      ("Host: [::1]a\r\n", .malformedHost), ("Host: [g::1]\r\n", .malformedHost),
      ("Host: [:]\r\n", .malformedHost), ("Host: %4\r\n", .malformedHost),
      ("Host: a%zz\r\n", .malformedHost), ("Host: a%41:b\r\n", .malformedHost),
      ("Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n", .ambiguousFraming),
      ("Host: a\r\nContent-Length: 1, 1\r\n", .ambiguousFraming),
      ("Host: a\r\nContent-Length: +1\r\n", .ambiguousFraming),
      ("Host: a\r\nContent-Length: 0x1\r\n", .ambiguousFraming),
      ("Host: a\r\nContent-Length:\r\n", .ambiguousFraming),
      ("Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", .ambiguousFraming),
      ("Host: a\r\nTransfer-Encoding: chunked, chunked\r\n", .ambiguousFraming),
      ("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", .ambiguousFraming),
      ("Host: a\r\nTransfer-Encoding:\r\n", .ambiguousFraming),
      ("Host: a\r\nTransfer-Encoding: gzip\r\n", .ambiguousFraming),
      ("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n", .unknownTransferCoding),
      ("Host: a\r\nTransfer-Encoding: xchunked\r\n", .ambiguousFraming),
      ("Host: a\r\nExpect: magic\r\n", .unknownExpectation),
      ("Host: a\r\nContent-Length: 1048577\r\n", .bodyTooLong),
      ("Host: a\r\nContent-Length: 99999999999999999999999999\r\n", .bodyTooLong),
    ])
  func fields(_ fields: String, _ expected: RequestError) {
    #expect(refusal(of: "POST / HTTP/1.1\r\n\(fields)\r\n") == expected)
  }

  @Test("refuses a chunked body from an HTTP/1.0 client")
  func chunkedFromOldClient() {
    #expect(
      refusal(of: "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == .ambiguousFraming)
  }

  @Test("keeps to its limits, to the byte")
  func limits() throws {
    func request(target: Int) -> String {
      "GET /\(String(repeating: "a", count: target - 1)) HTTP/1.1\r\nHost: a\r\n\r\n"
    }
    #expect(try parse(request(target: 12_288)) != nil)
    #expect(refusal(of: request(target: 12_289)) == .targetTooLong)

    func request(fields: Int) -> String {
      "GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "A:\r\n", count: fields - 1))\r\n"
    }
    #expect(try parse(request(fields: 100)) != nil)
    #expect(refusal(of: request(fields: 101)) == .headerTooLong)

    func request(length: Int) -> String {
      let rest = "GET / HTTP/1.1\r\nHost: a\r\nA: \r\n\r\n"
      let padding = String(repeating: "b", count: length - rest.utf8.count)
      return "GET / HTTP/1.1\r\nHost: a\r\nA: \(padding)\r\n\r\n"
    }
    #expect(try parse(request(length: 16_384))?.length == 16_384)
    #expect(refusal(of: request(length: 16_385)) == .headerTooLong)
    #expect(refusal(of: String(request(length: 20_000).dropLast())) == .headerTooLong)
    #expect(refusal(of: request(length: 20_000) + "\0") == .headerTooLong)
    let malformed = request(length: 20_000).replacing("b\r", with: "b\0\r")
    #expect(refusal(of: malformed) == .headerTooLong)

    let method = String(repeating: "A", count: 32)
    #expect(try parse("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n")?.method == .other)
    #expect(refusal(of: "\(method)A / HTTP/1.1\r\nHost: a\r\n\r\n") == .unknownMethod)
  }

  @Test("finds a control character at every place of a field's value, among any neighbours")
  func fieldValues() throws {
    for length in 0..<40 {
      for neighbour in [UInt8(ascii: "a"), 0x20, 0x09, 0x7E, 0x80, 0xFF] {
        let value = [UInt8](repeating: neighbour, count: length)
        let before = Array("GET / HTTP/1.1\r\nHost: a\r\nA: ".utf8)
        let after = Array("\r\n\r\n".utf8)
        #expect(try parse(before + value + after) != nil)
        for place in 0..<length {
          for control: UInt8 in [0x00, 0x1F, 0x7F] {
            var value = value
            value[place] = control
            #expect(throws: RequestError.malformedField) { try parse(before + value + after) }
          }
        }
      }
    }
  }
}
