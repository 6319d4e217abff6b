import Foundation
import Testing

@testable import TestSupport

@Suite("What a client sends comes back in no answer", .serialized)
struct ResponseSafetyTests {
  /// Nothing that the counter says by itself.
  private static let mark = "zq7fmark"

  private static let requests: [String] = {
    let heads = [
      "GET /\(mark)", "GET /?\(mark)", "GET /<script>\(mark)</script>", "GET /%3C\(mark)%3E",
      "GET /health?\(mark)", "GET /ready?\(mark)", "GET http://\(mark)/", "GET http://\(mark)/x",
      "\(mark) /", "POST /\(mark)", "OPTIONS /\(mark)", "OPTIONS *", "HEAD /\(mark)",
      "TRACE /\(mark)", "CONNECT \(mark):80", "GET \(mark)", "GET //\(mark)", "GET /../\(mark)",
      "GET /\(String(repeating: mark, count: 1100))", String(repeating: mark, count: 10) + " /",
    ]
    let fields = [
      "Host: \(mark)", "Host: x\r\nX: \(mark)", "Host: \(mark) \(mark)", "Host: x\r\n\(mark)",
      "Host: x\r\n\(mark) : x", "Host: x\r\nExpect: \(mark)", "Host: x\r\nContent-Length: \(mark)",
      "Host: x\r\nTransfer-Encoding: \(mark)", "Host: x\r\nCookie: \(mark)\r\nOrigin: \(mark)",
      "Host: x\r\nConnection: \(mark)", "Host: x\r\nRange: \(mark)", "Host: x\r\nAccept: \(mark)",
      "Host: x\r\nUser-Agent: \(mark)\r\nReferer: \(mark)",
      "Host: x\r\nX: \(String(repeating: mark, count: 2200))",
    ]
    let bodies = [
      "Content-Length: 8\r\n\r\n\(mark)",
      "Transfer-Encoding: chunked\r\n\r\n8;\(mark)\r\n\(mark)\r\n0\r\n",
      "Transfer-Encoding: chunked\r\n\r\n\(mark)\r\n", "Content-Length: 9999999\r\n\r\n\(mark)",
    ]
    return heads.flatMap { head in
      ["HTTP/1.1", "HTTP/1.0", "HTTP/\(mark)", "HTTP/2.0"].map {
        "\(head) \($0)\r\nHost: x\r\n\r\n"
      }
    }
      + fields.flatMap { fields in
        ["GET", "POST", "OPTIONS"].map { "\($0) / HTTP/1.1\r\n\(fields)\r\n\r\n" }
      }
      + bodies.flatMap { body in
        ["GET", "POST"].map { "\($0) / HTTP/1.1\r\nHost: x\r\n\(body)\r\n" }
      } + [mark, "\(mark)\r\n\r\n", "\r\n\r\n\(mark)\r\n\r\n"]
  }()

  @Test("And every answer says that its type is not to be guessed, and not who answers")
  func safety() throws {
    try withMetrics { counter, _, metricsPort in
      var answered = 0
      for port in [counter.port, metricsPort] {
        for request in Self.requests {
          let client = try HTTPClient(port: port)
          try client.send(request)
          client.socket.finishSending()
          let text = try client.readToEnd()
          #expect(!text.lowercased().contains(Self.mark), "\(request.prefix(200))")
          #expect(!text.lowercased().contains("\r\nserver:"))
          #expect(!text.lowercased().contains("\r\nx-powered-by:"))
          let heads = text.components(separatedBy: "HTTP/1.1 ").dropFirst()
            .filter { $0.contains(#/^[2-5][0-9][0-9] /#) }
          for head in heads {
            #expect(head.contains("\r\nX-Content-Type-Options: nosniff\r\n"), "\(head)")
          }
          answered += heads.count
        }
      }
      #expect(answered > 200)
    }
  }
}
