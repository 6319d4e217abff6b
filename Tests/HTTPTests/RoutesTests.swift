import BasicContainers
import Testing

@testable import HTTP

@Suite("Known paths")
struct RoutesTests {
  private func find(_ path: String) -> Resource {
    var bytes = ByteBuffer()
    bytes.append(copying: Array(path.utf8))
    let routes = Routes(["/", "/health"])
    return routes.find(.path(0..<bytes.count), in: bytes)
  }

  @Test("are found as they are and percent-encoded, in either case of hex digit")
  func known() {
    for path in ["/", "%2F", "%2f", ""] { #expect(find(path) == .route(0)) }
    for path in ["/health", "/%68ealth", "/healt%68", "%2Fhealth"] {
      #expect(find(path) == .route(1))
    }
  }

  @Test("are not taken for others that are similar")
  func unknown() {
    for path in [
      "//", "/health/", "/Health", "/healt", "/healthy", "/%00", "/%2F", "/%2568ealth", "/./",
    ] {
      #expect(find(path) == .unknown)
    }
  }
}
