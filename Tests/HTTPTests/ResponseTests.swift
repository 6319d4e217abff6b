import BasicContainers
import System
import Testing

@testable import HTTP

@Suite("A response")
struct ResponseTests {
  private func write(
    _ response: borrowing Response, _ persistence: Response.Persistence = .implied,
    number: Int64? = nil, withBody: Bool = true
  ) -> String {
    var date = DateField()
    date.write(784_111_777)
    var bytes = ByteBuffer()
    response.write(to: &bytes, date: date, persistence, number: number, withBody: withBody)
    return String(decoding: Array(copying: bytes), as: UTF8.self)
  }

  @Test("is written to the byte")
  func bytes() {
    let response = Response(.ok, [("A", "b")], body: "n is ", afterNumber: ".\n")
    let head =
      "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nA: b\r\nContent-Length: 9\r\n"
      + "Date: Sun, 06 Nov 1994 08:49:37 GMT"
    #expect(write(response, number: 42) == head + "\r\n\r\nn is 42.\n")
    #expect(
      write(response, .close, number: 42) == head + "\r\nConnection: close\r\n\r\nn is 42.\n")
    #expect(
      write(response, .keepAlive, number: 42, withBody: false)
        == head + "\r\nConnection: keep-alive\r\n\r\n")
  }

  @Test("is the same whether it was made anew or from the one before")
  func numbered() {
    var date = DateField()
    date.write(784_111_777)
    var response = NumberedResponse(Response(.ok, [], body: "n is ", afterNumber: "."))
    let plain = Response(.ok, [], body: "n is ", afterNumber: ".")
    let numbers: [Int64] = [
      7, 8, 9, 10, 11, 98, 99, 100, 101, 5, 6, -2, -1, 0, 1, 199, 200, 201, 201, .max - 1, .max,
      .min,
    ]
    for number in numbers {
      if number == 101 { date.write(784_111_778) }
      var bytes = ByteBuffer()
      response.write(number, to: &bytes, date: date)
      var expected = ByteBuffer()
      plain.write(to: &expected, date: date, .implied, number: number, withBody: true)
      #expect(Array(copying: bytes) == Array(copying: expected))
    }
  }

  @Test("says Content-Length 0 when it is empty")
  func empty() {
    #expect(write(Response(.ok, [])).contains("\r\nContent-Length: 0\r\n"))
  }

  @Test(
    "writes every number as Swift does",
    arguments: [
      0, 1, 9, 10, 99, 100, 12_345, -1, -10, .max, .min, 9_007_199_254_740_993,
    ] as [Int64])
  func numbers(_ number: Int64) {
    var bytes = ByteBuffer()
    bytes.append(decimal: number)
    #expect(String(decoding: Array(copying: bytes), as: UTF8.self) == "\(number)")
    #expect(Decimal.width(of: number) == "\(number)".utf8.count)
  }

  @Test("has the date of its second, and of the next when that has come")
  func date() {
    var date = DateField()
    let now = Instant.now
    date.refresh(now)
    let first = String(decoding: Array(copying: date.line), as: UTF8.self)
    date.refresh(now + .milliseconds(1500))
    #expect(first.hasPrefix("\r\nDate: ") && first.hasSuffix(" GMT"))
    #expect(first.utf8.count == "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT".utf8.count)
  }
}

extension Array<UInt8> {
  /// The bytes of a buffer.
  init(copying bytes: borrowing ByteBuffer) {
    self = (0..<bytes.count).map { bytes[$0] }
  }
}
