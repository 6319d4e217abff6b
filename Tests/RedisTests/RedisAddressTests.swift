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
      ("redis://:p#,x@h", RedisAddress(.tcp(host: "h", port: 6379), password: "p#,x")),
      ("unix:a", RedisAddress(.unix(path: "a"))),
      ("unix:/a#b,c", RedisAddress(.unix(path: "/a#b,c"))),
      ("rediss://h", RedisAddress(.tcp(host: "h", port: 6379), isEncrypted: true)),
      (
        "RedisS://u:p@h:1/2",
        RedisAddress(
          .tcp(host: "h", port: 1), isEncrypted: true, user: "u", password: "p", database: 2)
      ),
    ])
  func understood(_ text: String, _ location: RedisAddress) throws {
    #expect(try RedisAddress(text) == location)
  }

  @Test(
    "names sentinels and a primary",
    arguments: [
      ("redis-sentinel://a#m", RedisAddress(.sentinel(sentinels: [host("a", 26379)], name: "m"))),
      ("redis-sentinel://a/#m", RedisAddress(.sentinel(sentinels: [host("a", 26379)], name: "m"))),
      (
        "redis-sentinel://u:p@a:1,[::1],b/2#my%2Dprimary",
        RedisAddress(
          .sentinel(
            sentinels: [host("a", 1), host("::1", 26379), host("b", 26379)], name: "my-primary"),
          user: "u", password: "p", database: 2)
      ),
      (
        "REDISS-Sentinel://[::1]:7#m",
        RedisAddress(.sentinel(sentinels: [host("::1", 7)], name: "m"), isEncrypted: true)
      ),
      (
        "redis-sentinel://a#" + String(repeating: "m", count: 128),
        RedisAddress(
          .sentinel(sentinels: [host("a", 26379)], name: String(repeating: "m", count: 128)))
      ),
    ])
  func sentinels(_ text: String, _ address: RedisAddress) throws {
    #expect(try RedisAddress(text) == address)
  }

  @Test(
    "names seeds of a cluster",
    arguments: [
      ("redis://a,b:1", RedisAddress(.seeds([host("a", 6379), host("b", 1)]))),
      (
        "rediss://u:p@[::1]:2,b,c/0",
        RedisAddress(
          .seeds([host("::1", 2), host("b", 6379), host("c", 6379)]), isEncrypted: true,
          user: "u", password: "p")
      ),
    ])
  func seeds(_ text: String, _ address: RedisAddress) throws {
    #expect(try RedisAddress(text) == address)
  }

  private static func host(_ name: String, _ port: UInt16) -> HostPort {
    HostPort(host: name, port: port)
  }

  @Test("names 32 hosts at most")
  func mostHosts() throws {
    let most = Array(repeating: "h", count: 32).joined(separator: ",")
    for (start, end) in [("redis-sentinel://", "#m"), ("redis://", "")] {
      _ = try RedisAddress(start + most + end)
      #expect(throws: AddressError.tooManyHosts) { try RedisAddress(start + most + ",h" + end) }
    }
  }

  @Test(
    "is refused with its reason",
    arguments: [
      ("http://x", AddressError.unknownScheme), ("", .unknownScheme), ("redis:x", .unknownScheme),
      ("sentinel://x#m", .unknownScheme), ("redisss://x", .unknownScheme),
      ("redis://", .noHost), ("redis://:1", .noHost), ("rediss://", .noHost),
      ("unix:", .noHost), ("redis://h:0", .badPort), ("redis://h:65536", .badPort),
      ("redis://h:x", .badPort), ("redis://h:+1", .badPort), ("redis://h/+1", .badDatabase),
      ("redis://[::1]x", .badPort), ("redis://h/x", .badDatabase),
      ("redis://h/-1", .badDatabase), ("redis://:%4@h", .badPercentEncoding),
      ("redis://:%zz@h", .badPercentEncoding), ("redis://:%+1@h", .badPercentEncoding),
      ("redis://:%ff@h", .badPercentEncoding), ("redis://h?x=1", .parameters),
      ("redis://h/1?x=1", .parameters), ("redis://h,", .noHost), ("redis://,h", .noHost),
      ("redis://a,b/1", .databaseOfCluster), ("redis://h#m", .nameOfNothing),
      ("redis-sentinel://a", .noName), ("redis-sentinel://a#", .noName),
      ("redis-sentinel://a/0", .noName), ("redis-sentinel://#m", .noHost),
      ("redis-sentinel://a,,b#m", .noHost), ("redis-sentinel://a:0#m", .badPort),
      ("redis-sentinel://a/x#m", .badDatabase), ("redis-sentinel://a#m%", .badPercentEncoding),
      ("redis-sentinel://a#m%20x", .badName), ("redis-sentinel://a#m%0A", .badName),
      ("redis-sentinel://a#" + String(repeating: "m", count: 129), .badName),
      ("redis-sentinel://a?x=1#m", .parameters),
      ("unix:/" + String(repeating: "a", count: 107), .pathTooLong),
    ])
  func refused(_ text: String, _ reason: AddressError) {
    #expect(throws: reason) { try RedisAddress(text) }
  }

  @Test(
    "is shown without user and password",
    arguments: [
      ("redis://u:p@h:1/2", "redis://h:1/2"), ("redis://[::1]", "redis://[::1]:6379"),
      ("unix:/a", "unix:/a"), ("rediss://p@h", "rediss://h:6379"),
      ("redis-sentinel://p@a,[::1]:2/3#m", "redis-sentinel://a:26379,[::1]:2/3#m"),
      ("rediss-sentinel://a#m", "rediss-sentinel://a:26379#m"),
      ("rediss://u:p@a,b:1", "rediss://a:6379,b:1"),
    ])
  func shown(_ text: String, _ description: String) throws {
    #expect(try RedisAddress(text).description == description)
  }
}
