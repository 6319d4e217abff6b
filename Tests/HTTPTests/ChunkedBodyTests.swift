import BasicContainers
import Testing

@testable import HTTP

/// Reads a body that comes in two parts.
///
/// - Returns: how many bytes belonged to it, or nil when it is not complete.
private func read(
  _ text: some StringProtocol, split: Int, _ limits: Limits = Limits()
) throws(RequestError) -> Int? {
  try decode(text, split: split, limits)?.length
}

/// - Returns: how many bytes belonged to it, and its data; nil when it is not complete.
private func decode(
  _ text: some StringProtocol, split: Int, _ limits: Limits = Limits()
) throws(RequestError) -> (length: Int, data: String)? {
  var body = ChunkedBody()
  var data: [UInt8] = []
  let bytes = Array(text.utf8)
  var length = 0
  for part in [bytes[..<split], bytes[split...]] where !body.isComplete {
    var buffer = ByteBuffer()
    buffer.append(copying: Array(part))
    length += try body.consume(buffer, from: 0, limits) { range in
      data += Array(part)[range]
    }
  }
  return body.isComplete ? (length, String(decoding: data, as: UTF8.self)) : nil
}

@Suite("A chunked body")
struct ChunkedBodyTests {
  @Test(
    "ends at the same byte wherever it is split",
    arguments: [
      "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n",
      "00A;x=\"y\"\r\n0123456789\r\n1 ; z\r\n.\r\n0\r\n\r\n",
      "0\r\nA: b\r\nC:\r\n\r\n", "1\r\n\r\r\n1\r\n\n\r\n0;a\r\n\r\n",
    ])
  func everySplit(_ body: String) throws {
    let length = body.utf8.count
    for split in 0...length {
      #expect(try read(body + "GET / HTTP/1.1", split: split) == length, "split at \(split)")
      let cut = String(decoding: body.utf8.dropLast(), as: UTF8.self)
      #expect(try read(cut, split: min(split, length - 1)) == nil)
    }
  }

  @Test(
    "is refused where its framing is malformed",
    arguments: [
      "\r\n", "g\r\n", "-1\r\n", "0x1\r\n", " 1\r\n", "1 \r\n", "1\n", "1\r\naX", "1\r\na\rX",
      "1;\u{1}\r\n", "1;a\n", "0\r\n\n", "0\r\n \r\n", "0\r\nA b\r\n\r\n", "0\r\n: b\r\n\r\n",
      "0\r\nA: b\n\r\n",
    ])
  func malformed(_ body: String) {
    for split in 0...body.utf8.count {
      #expect(throws: RequestError.malformedBody) { try read(body, split: split) }
    }
  }

  @Test("is refused when it is too long, in one chunk or in many")
  func tooLong() throws {
    var limits = Limits()
    limits.body = 8
    #expect(try read("8\r\n12345678\r\n0\r\n\r\n", split: 0, limits) != nil)
    #expect(throws: RequestError.bodyTooLong) { try read("9\r\n", split: 0, limits) }
    #expect(throws: RequestError.bodyTooLong) { try read("fffffffffffffffff", split: 0, limits) }
    #expect(throws: RequestError.bodyTooLong) {
      try read("8\r\n12345678\r\n1\r\n", split: 0, limits)
    }
  }

  @Test("is refused when extensions and trailers never end")
  func overhead() throws {
    let many = String(repeating: "a", count: 16_384)
    #expect(throws: RequestError.headerTooLong) { try read("1;\(many)a", split: 0) }
    #expect(throws: RequestError.headerTooLong) { try read("0\r\nA:\(many)", split: 0) }
    let blanks = String(repeating: " ", count: 20_000)
    #expect(throws: RequestError.headerTooLong) { try read("0\(blanks)\r\n", split: 0) }
    let zeros = String(repeating: "0", count: 20_000)
    #expect(throws: RequestError.headerTooLong) { try read("\(zeros)1\r\n", split: 0) }
  }

  @Test("has the data of its chunks, wherever it is split")
  func data() throws {
    let text = "5\r\nhello\r\n2;x=\"y\"\r\n, \r\n0007\r\nworld\r\n\r\n0\r\nA: b\r\n\r\n"
    for split in 0...text.utf8.count {
      #expect(try decode(text, split: split)?.data == "hello, world\r\n")
    }
  }
}
