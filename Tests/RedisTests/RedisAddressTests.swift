import System
import Testing

@testable import Redis

@Suite("A Redis URL")
struct RedisAddressTests {
  @Test(
    "is understood in all its parts",
    arguments: [
      ("redis://host", RedisAddress(.tcp(host: "host", port: 6379))),
      ("redis://host:1/", RedisAddress(.tcp(host: "host", port: 1))),
      ("redis://[::1]:7/3", RedisAddress(.tcp(host: "::1", port: 7), database: 3)),
      ("redis://[::1]", RedisAddress(.tcp(host: "::1", port: 6379))),
      ("redis://:p@h", RedisAddress(.tcp(host: "h", port: 6379), password: "p")),
      ("redis://p@h", RedisAddress(.tcp(host: "h", port: 6379), password: "p")),
      (
        "redis://u%3A:p%40/:x@h:1/2",
        RedisAddress(.tcp(host: "h", port: 1), user: "u:", password: "p@/:x", database: 2)
      ),
      ("unix:/a b/c", RedisAddress(.unix(path: "/a b/c"))),
      ("unix:///a", RedisAddress(.unix(path: "/a"))),
      ("UNIX:/a", RedisAddress(.unix(path: "/a"))),
      ("REDIS://Host", RedisAddress(.tcp(host: "Host", port: 6379))),
      ("redis://:p?x@h", RedisAddress(.tcp(host: "h", port: 6379), password: "p?x")),
      ("unix:a", RedisAddress(.unix(path: "a"))),
    ])
  func understood(_ text: String, _ location: RedisAddress) throws {
    #expect(try RedisAddress(text) == location)
  }

  @Test(
    "is refused with its reason",
    arguments: [
      ("http://x", AddressError.unknownScheme), ("", .unknownScheme),
      ("rediss://x", .encryptionNotSupported), ("redis://", .noHost), ("redis://:1", .noHost),
      ("unix:", .noHost), ("redis://h:0", .badPort), ("redis://h:65536", .badPort),
      ("redis://h:x", .badPort), ("redis://h:+1", .badPort), ("redis://h/+1", .badDatabase),
      ("redis://[::1]x", .badPort), ("redis://h/x", .badDatabase),
      ("redis://h/-1", .badDatabase), ("redis://:%4@h", .badPercentEncoding),
      ("redis://:%zz@h", .badPercentEncoding), ("redis://:%+1@h", .badPercentEncoding),
      ("redis://:%ff@h", .badPercentEncoding),
      ("unix:/" + String(repeating: "a", count: 107), .pathTooLong),
    ])
  func refused(_ text: String, _ reason: AddressError) {
    #expect(throws: reason) { try RedisAddress(text) }
  }

  @Test("is shown without user and password")
  func shown() throws {
    #expect(try RedisAddress("redis://u:p@h:1/2").description == "redis://h:1/2")
    #expect(try RedisAddress("redis://[::1]").description == "redis://[::1]:6379")
    #expect(try RedisAddress("unix:/a").description == "unix:/a")
  }
}
