import BasicContainers
import Testing

@testable import HTTP

@Suite("The route table")
struct RouteTableTests {
  private static let routes = [
    Route("/", [.get]), Route("/health", [.get, .head]), Route("/hit/{namespace}/{key}", [.get]),
    Route("/hit/{namespace}", [.get]), Route("/hit/{namespace}/{key}/badge.svg", [.get]),
    Route("/get/all/{key}", [.get]), Route("/get/{namespace}/{key}", [.get]),
  ]

  private func find(_ path: String) -> (route: Int, parameters: [String])? {
    let bytes = Array(path.utf8)
    let routes = RouteTable(Self.routes)
    guard let match = routes.match(0..<bytes.count, in: bytes.span) else { return nil }
    let parameters = [match.parameters[0], match.parameters[1]].map {
      String(decoding: bytes[$0], as: UTF8.self)
    }
    return (match.route, parameters.filter { !$0.isEmpty })
  }

  @Test("finds a path as it is and percent-encoded, in either case of hex digit")
  func literals() {
    for path in ["/", ""] { #expect(find(path)?.route == 0) }
    for path in ["/health", "/%68ealth", "/healt%68", "/%68%65%61%6C%74%68"] {
      #expect(find(path)?.route == 1)
    }
  }

  @Test(
    "finds no route for a path that is only similar",
    arguments: [
      "//", "/health/", "/Health", "/healt", "/healthy", "/%00", "/%2F", "/%2568ealth", "/./",
      "/hit", "/hit/a/b/", "/hit/a/b/badge", "/%2fhealth",
      "/hit%2Fa", "/hit/a/b/badge.svg/", "/hit/a/b/c/d/e/f/g", "/health?", "/hit/a/b/badge.svgz",
    ])
  func unknown(_ path: String) {
    #expect(find(path) == nil)
  }

  @Test(
    "finds the segments of parameters, percent-encoded as they came",
    arguments: [
      ("/hit/a/b", 2, ["a", "b"]), ("/hit/blog", 3, ["blog"]),
      ("/hit/a%2Fb/%C3%A9", 2, ["a%2Fb", "%C3%A9"]), ("/hit/a/b/badge.svg", 4, ["a", "b"]),
      ("/%68it/a/b/b%61dge.svg", 4, ["a", "b"]),
      ("/hit/{namespace}/{key}", 2, ["{namespace}", "{key}"]), ("/hit/", 3, []),
      ("/hit//", 2, []), ("/hit/a/", 2, ["a"]), ("/hit//b", 2, ["b"]),
      ("/get/all/x", 5, ["x"]), ("/get/al/x", 6, ["al", "x"]), ("/get/all/all", 5, ["all"]),
    ])
  func parameters(_ path: String, _ route: Int, _ parameters: [String]) {
    #expect(find(path)?.route == route)
    #expect(find(path)?.parameters == parameters)
  }

  @Test("allows each route its own methods, and OPTIONS")
  func methods() {
    let routes = RouteTable([Route("/", [.get, .head]), Route("/a", [.post, .put, .delete])])
    #expect(routes.methods(of: 0).allow == "GET, HEAD, OPTIONS")
    #expect(routes.methods(of: 1).allow == "POST, PUT, DELETE, OPTIONS")
    #expect(routes.methods.allow == "GET, HEAD, POST, PUT, DELETE, OPTIONS")
    #expect(routes.methods(of: 0).contains(.head) && !routes.methods(of: 0).contains(.post))
    #expect(!routes.methods.contains(.other) && !routes.methods.contains(.connect))
  }
}
