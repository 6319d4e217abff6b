/// How much of everything is taken, to the byte.
extension RequestTable {
  static let limits: [RequestCase] = [
    RequestCase(
      "9112 3", "a path of 12,288 bytes", .answered(404),
      "GET /\(letters(12_287)) HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "a query of 12,286 bytes", .visit,
      "GET /?\(letters(12_286)) HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "a target of 12,289 bytes", .refused(414),
      "GET /\(letters(12_288)) HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "a method of 32 bytes", .answered(405),
      "\(letters(32)) / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase(
      "9112 3", "a method of 33 bytes", .refused(501),
      "\(letters(33)) / HTTP/1.1\r\nHost: x\r\n\r\n"),
    RequestCase("9110 5.4", "a field of 15 KiB", .visit, fields: "A: \(letters(15_360))"),
    RequestCase("9110 5.4", "a field of 17 KB", .refused(431), fields: "A: \(letters(17_000))"),
    RequestCase(
      "9110 5.4", "a field of 17 KB with a NUL at its end", .refused(431),
      fields: "A: \(letters(17_000))\0"),
    RequestCase(
      "9110 5.4", "a name of 17 KB", .refused(431), fields: "\(letters(17_000)): a"),
    RequestCase(
      "9110 5.4", "fields of 18 KB together", .refused(431),
      "GET / HTTP/1.1\r\nHost: x\r\n" + fields(90, of: 200) + "\r\n"),
    RequestCase(
      "9110 5.4", "100 fields", .visit, "GET / HTTP/1.1\r\nHost: x\r\n" + fields(99, of: 1) + "\r\n"
    ),
    RequestCase(
      "9110 5.4", "101 fields", .refused(431),
      "GET / HTTP/1.1\r\nHost: x\r\n" + fields(100, of: 1) + "\r\n"),
    RequestCase(
      "9110 5.4", "17 KB of empty lines", .refused(431), String(repeating: "\r\n", count: 8500)),
    RequestCase(
      "9110 15.5.14", "a body of 1 MiB", .visit, fields: "Content-Length: 1048576",
      body: letters(1_048_576)),
    RequestCase(
      "9110 15.5.14", "a body over 1 MiB", .refused(413), fields: "Content-Length: 1048577",
      body: letters(1_048_577)),
    RequestCase(
      "9110 15.5.14", "chunks of 1 MiB together", .visit, fields: "Transfer-Encoding: chunked",
      body: "80000\r\n\(letters(0x80000))\r\n80000\r\n\(letters(0x80000))\r\n0\r\n\r\n"),
    RequestCase(
      "9110 15.5.14", "chunks over 1 MiB together", .refused(413),
      fields: "Transfer-Encoding: chunked",
      body: "80000\r\n\(letters(0x80000))\r\n80001\r\n\(letters(0x80001))\r\n0\r\n\r\n"),
    RequestCase(
      "9112 7.1.1", "16 KiB of extensions", .refused(431), fields: "Transfer-Encoding: chunked",
      body: "1;\(letters(16_400))\r\na\r\n0\r\n\r\n"),
    RequestCase(
      "9112 7.1.1", "17 KB of extensions, chunk by chunk", .refused(431),
      fields: "Transfer-Encoding: chunked",
      body: String(repeating: "1;\(letters(98))\r\na\r\n", count: 170) + "0\r\n\r\n"),
    RequestCase(
      "9112 7.1.2", "17 KB of trailers", .refused(431), fields: "Transfer-Encoding: chunked",
      body: "0\r\n\(fields(85, of: 200))\r\n"),
  ]

  private static func fields(_ count: Int, of length: Int) -> String {
    (0..<count).map { "A\($0): \(letters(length))\r\n" }.joined()
  }
}
