import BasicContainers
import System
import Testing

@testable import HTTP

@Suite("A response")
struct ResponseTests {
  private func write(
    _ head: borrowing ResponseHead, _ body: some ResponseBody,
    _ persistence: ResponseHead.Persistence = .implied, withBody: Bool = true
  ) -> String {
    var date = DateField()
    date.write(784_111_777)
    var bytes = ByteBuffer()
    bytes.append(addingCount: head.longest(bodyCount: body.count)) { output in
      head.write(to: &output, bodyCount: body.count, date: date, persistence)
      if withBody { body.write(to: &output) }
    }
    return String(decoding: Array(copying: bytes), as: UTF8.self)
  }

  @Test("is written to the byte")
  func bytes() {
    let head = ResponseHead(.ok, [("A", "b")])
    let body = TextBody("n is 42.\n")
    let text =
      "HTTP/1.1 200 OK\r\nX-Content-Type-Options: nosniff\r\nA: b\r\nContent-Length: 9\r\n"
      + "Date: Sun, 06 Nov 1994 08:49:37 GMT"
    #expect(write(head, body) == text + "\r\n\r\nn is 42.\n")
    #expect(write(head, body, .close) == text + "\r\nConnection: close\r\n\r\nn is 42.\n")
    #expect(
      write(head, body, .keepAlive, withBody: false)
        == text + "\r\nConnection: keep-alive\r\n\r\n")
  }

  @Test("has the same header when its head is repeated, with its own length and date")
  func repeatedHead() {
    var date = DateField()
    date.write(784_111_777)
    var head = RepeatedHead(ResponseHead(.ok, [("A", "b")]))
    func header(_ bodyCount: Int) -> String {
      head.update(bodyCount: bodyCount, date: date)
      let header = String(decoding: Array(copying: head.header), as: UTF8.self)
      var bytes = ByteBuffer()
      bytes.append(addingCount: head.head.longest(bodyCount: bodyCount)) { output in
        head.head.write(to: &output, bodyCount: bodyCount, date: date, .implied)
      }
      #expect(header == String(decoding: Array(copying: bytes), as: UTF8.self))
      return header
    }
    #expect(header(9) == header(9))
    #expect(header(10) != header(9))
    let first = header(9)
    date.write(784_111_778)
    #expect(header(9) != first)
  }

  @Test("says Content-Length 0 when it is empty")
  func empty() {
    #expect(write(ResponseHead(.ok), ConstantBody("")).contains("\r\nContent-Length: 0\r\n"))
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
    let first = line(of: date)
    date.refresh(now + .milliseconds(1500))
    #expect(first.hasPrefix("\r\nDate: ") && first.hasSuffix(" GMT"))
    #expect(first.utf8.count == "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT".utf8.count)
  }

  private func line(of date: borrowing DateField) -> String {
    let line = date.line
    return String(decoding: (0..<line.count).map { line[$0] }, as: UTF8.self)
  }
}

extension Array<UInt8> {
  /// The bytes of a buffer.
  init(copying bytes: borrowing ByteBuffer) {
    self = (0..<bytes.count).map { bytes[$0] }
  }
}
