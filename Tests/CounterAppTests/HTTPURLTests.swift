import System
import Testing

@testable import CounterApp

@Suite("The URL of a server")
struct HTTPURLTests {
  @Test(
    "is understood in its parts, and shown as the Host field has it",
    arguments: [
      ("http://h", "h", 80, "h"), ("http://h/", "h", 80, "h"),
      ("http://h:8000", "h", 8000, "h:8000"),
      ("http://h:80/", "h", 80, "h"), ("http://h:", "h", 80, "h"),
      ("http://[::1]:7", "::1", 7, "[::1]:7"),
      ("http://[::1]", "::1", 80, "[::1]"), ("http://a.b-c:65535", "a.b-c", 65535, "a.b-c:65535"),
    ] as [(String, String, UInt16, String)])
  func understood(_ text: String, _ host: String, _ port: UInt16, _ shown: String) throws {
    let address = try HTTPURL(text)
    #expect(address == HTTPURL(host: host, port: port))
    #expect(address.description == shown)
  }

  @Test(
    "is refused with its reason",
    arguments: [
      ("", AddressError.otherScheme), ("h:80", .otherScheme), ("https://h", .otherScheme),
      ("http://", .noHost), ("http://:80", .noHost), ("http://[]:80", .noHost),
      ("http://h:0", .badPort), ("http://h:65536", .badPort), ("http://h:x", .badPort),
      ("http://h:1:2", .badPort), ("http://h:+1", .badPort), ("http://[::1", .badPort),
      ("http://[::1]x", .badPort), ("http://h/x", .hasPath),
      ("http://u@h", .hasPath), ("http://h?x", .hasPath), ("http://h h", .hasPath),
      ("http://h\r\nX: y", .hasPath), ("http://ü", .hasPath),
    ])
  func refused(_ text: String, _ reason: AddressError) {
    #expect(throws: reason) { try HTTPURL(text) }
  }
}
