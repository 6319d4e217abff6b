import BasicContainers
import System
import Testing

@testable import HTTP

private let routes = [
  Route("/", [.get]), Route("/now", [.get]), Route("/hit/{namespace}/{key}", [.get, .post]),
  Route("/note/{key}", [.put], bodyLimit: 10),
]

extension ServerLoop {
  /// Sends bytes, and turns until a request has come of them.
  fileprivate mutating func request(_ pieces: [String], _ client: Client) throws -> Request? {
    let before = waitingRequests.count
    for piece in pieces {
      try client.send(piece)
      try settle()
    }
    try settle()
    return waitingRequests.count > before ? waitingRequests.last : nil
  }
}

@Suite("A request")
struct RequestTests {
  @Test("has its method, its parameters, its query and its header", arguments: [1, 7, 1000])
  func parts(_ size: Int) throws {
    var loop = try ServerLoop(routes: routes)
    let client = try Client(loop.port)
    let text = "POST /hit/my%20blog/a?by=3&x HTTP/1.1\r\nHost: a\r\nAccept: text/plain\r\n\r\n"
    let request = try #require(try loop.request(text.pieces(of: size), client))
    #expect(request.route == 2)
    #expect(request.method == .post)
    #expect(loop.texts.parameters[0] == "my%20blog")
    #expect(loop.texts.parameters[1] == "a")
    #expect(loop.texts.query == "by=3&x")
    #expect(loop.texts.header == text)
    #expect(request.body.isEmpty)
  }

  @Test("has its fields")
  func fields() throws {
    var loop = try ServerLoop(routes: routes)
    let client = try Client(loop.port)
    let request = try #require(
      try loop.request(["\r\nGET / HTTP/1.1\r\nHost: a\r\nX:\r\naccept:  b c \r\n\r\n"], client))
    #expect(request.route == 0)
    let header = Array(loop.texts.header.utf8)
    var lines = HeaderLines(header.span)
    func text(_ range: Range<Int>) -> String {
      String(decoding: header[range], as: UTF8.self)
    }
    #expect(text(lines.requestLine) == "GET / HTTP/1.1")
    var fields: [[String]] = []
    while let field = lines.next() { fields.append([text(field.name), text(field.value)]) }
    #expect(fields == [["Host", "a"], ["X", ""], ["accept", "b c"]])
    #expect(lines.next() == nil)
  }

  @Test(
    "has its body when the route asks for it, however it comes",
    arguments: [
      "Content-Length: 10\r\n\r\n0123456789",
      "Transfer-Encoding: chunked\r\n\r\n3\r\n012\r\n7;x\r\n3456789\r\n0\r\nA: b\r\n\r\n",
    ], [1, 5, 1000])
  func body(_ rest: String, _ size: Int) throws {
    var loop = try ServerLoop(routes: routes)
    let client = try Client(loop.port)
    let text = "PUT /note/k HTTP/1.1\r\nHost: a\r\n" + rest
    let request = try #require(try loop.request(text.pieces(of: size), client))
    #expect(request.route == 3)
    #expect(loop.texts.parameters[0] == "k")
    #expect(loop.texts.body == "0123456789")
    #expect(loop.texts.header.hasSuffix("\r\n\r\n"))
    #expect(loop.server.connections.bufferedBytes == 0, "the body belongs to the request alone")
  }

  @Test("has no body when the route does not ask for it")
  func noBody() throws {
    var loop = try ServerLoop(routes: routes)
    let client = try Client(loop.port)
    let text = "POST /hit/a/b HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n"
    let request = try #require(
      try loop.request([text, String(repeating: "x", count: 20)], client))
    #expect(request.body.isEmpty)
    #expect(loop.texts.header == text)
  }

  @Test(
    "is refused when its body is longer than the route allows",
    arguments: [
      "Content-Length: 11\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n67890",
    ], [1, 1000])
  func longBody(_ rest: String, _ size: Int) throws {
    var loop = try ServerLoop(routes: routes)
    let client = try Client(loop.port)
    let text = "PUT /note/k HTTP/1.1\r\nHost: a\r\n" + rest
    for piece in text.pieces(of: size) where client.codes.isEmpty {
      _ = try client.sendSome(piece.utf8)
      try loop.settle()
      client.receive()
    }
    try loop.turn(until: "the response came", of: client) { $0.codes == [413] }
    #expect(loop.waitingRequests.isEmpty)
    #expect(loop.server.connections.bufferedBytes == 0)
  }

  @Test("is answered 405 with the methods of its route, and OPTIONS with them, too")
  func methods() throws {
    var loop = try ServerLoop(routes: routes)
    let client = try Client(loop.port)
    for (method, target, code, allow) in [
      ("DELETE", "/hit/a/b", 405, "GET, POST, OPTIONS"), ("get", "/", 405, "GET, OPTIONS"),
      ("OPTIONS", "/note/a", 200, "PUT, OPTIONS"), ("POST", "/none", 404, nil),
      ("OPTIONS", "*", 200, "GET, POST, PUT, OPTIONS"), ("OPTIONS", "/none", 404, nil),
    ] as [(String, String, Int, String?)] {
      let before = client.received.utf8.count
      try client.send("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
      try loop.turn(until: "the response came", of: client) { $0.received.utf8.count > before }
      let response = String(client.received.utf8.dropFirst(before)) ?? ""
      #expect(response.hasPrefix("HTTP/1.1 \(code) "))
      #expect(allow == nil || response.contains("\r\nAllow: \(allow ?? "")\r\n"), "\(response)")
    }
    #expect(loop.waitingRequests.isEmpty)
  }

  @Test("is not allowed to bring a body along by a method that its route does not have")
  func bodyOfOtherMethod() throws {
    var loop = try ServerLoop(routes: routes)
    let client = try Client(loop.port)
    let body = String(repeating: "x", count: 11)
    try client.send("POST /note/k HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n\(body)")
    try loop.turn(until: "the response came", of: client) { !$0.codes.isEmpty }
    #expect(client.codes == [405])
  }

  @Test("tells where it came from")
  func clientAddress() throws {
    var loop = try ServerLoop(
      routes: routes, trustedProxies: [try #require(Network("127.0.0.0/8"))])
    let client = try Client(loop.port)
    let request = try #require(
      try loop.request(
        ["GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n"], client))
    #expect(request.route == 0)
    #expect(loop.texts.client == "203.0.113.7")
  }
}

extension String {
  fileprivate func pieces(of size: Int) -> [String] {
    var rest = self[...]
    var pieces: [String] = []
    while !rest.isEmpty {
      pieces.append(String(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    return pieces
  }
}

/// Writes down what it is told.
private final class Notes: RequestObserver {
  var lines: [String] = []

  func requestParsed(_ exchange: Exchange, header: Span<UInt8>, client: NetworkAddress) {
    let line = HeaderLines(header).requestLine
    let text = String(decoding: line.map { header[$0] }, as: UTF8.self)
    lines.append("\(exchange.sequence) \(client) \(text)")
  }

  func responseWritten(_ exchange: Exchange, code: Int?, bodyCount: Int) {
    lines.append("\(exchange.sequence) \(code ?? 0) \(bodyCount)")
  }
}

@Suite("An observer")
struct RequestObserverTests {
  @Test("is told of each request and each response, those of the server's own among them")
  func told() throws {
    let notes = Notes()
    var loop = try ServerLoop(observer: notes)
    let client = try Client(loop.port)
    try client.send(
      "GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /now HTTP/1.1\r\nHost: a\r\n\r\n"
        + "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcnonsense\r\n\r\n")
    try loop.turn(until: "the visit came") { $0.waitingRequests.count == 1 }
    try loop.settle()
    loop.answer(1)
    try loop.turn(until: "the end", of: client) { $0.codes == [200, 200, 404, 400] }
    #expect(
      notes.lines == [
        "0 127.0.0.1 GET / HTTP/1.1", "1 127.0.0.1 HEAD /now HTTP/1.1", "1 200 0",
        "2 127.0.0.1 POST /none HTTP/1.1", "2 404 146", "3 127.0.0.1 nonsense", "3 400 140",
        "0 200 3",
      ])
  }

  @Test("is told of the requests that are lost with their client")
  func lost() throws {
    let notes = Notes()
    var loop = try ServerLoop(observer: notes)
    let client = try Client(loop.port)
    try client.send(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: 2))
    try loop.turn(until: "the visits came") { $0.waitingRequests.count == 2 }
    client.reset()
    try loop.turn(until: "it is closed") { $0.server.openConnections == 0 }
    #expect(notes.lines.suffix(2) == ["0 0 0", "1 0 0"])
  }

  @Test(
    "is told of a request that was too late, with as much of its header as came",
    arguments: [
      ("GET /slow HTTP/1.1\r\nHost: a\r\n", "GET /slow HTTP/1.1"), ("GET /sl", "GET /sl"),
      ("PUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1234", "PUT /b HTTP/1.1"),
    ])
  func late(_ text: String, _ line: String) throws {
    let notes = Notes()
    var loop = try ServerLoop(observer: notes)
    let client = try Client(loop.port)
    try client.send(text)
    try loop.turn(until: "it came") { $0.server.openConnections == 1 }
    try loop.settle()
    try loop.skip(.seconds(31))
    try loop.turn(until: "the response came", of: client) { $0.codes == [408] }
    #expect(notes.lines == ["0 127.0.0.1 \(line)", "0 408 156"])
  }
}
