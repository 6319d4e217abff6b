import CLinux
import Glibc
import Testing

@testable import System

@Suite("A socket's address")
struct SocketAddressTests {
  @Test(
    "is a numeric address or a path",
    arguments: [("127.0.0.1", AF_INET), ("::1", AF_INET6), ("::", AF_INET6)])
  func numeric(_ host: String, _ family: CInt) {
    #expect(SocketAddress(host: host, port: 80)?.family == family)
  }

  @Test(
    "is neither a name nor nothing", arguments: ["localhost", "", "127.0.0.1:80", "[::1]", "/"])
  func notNumeric(_ host: String) {
    #expect(SocketAddress(host: host, port: 80) == nil)
  }

  @Test("is a path that fits into the kernel's form")
  func path() {
    #expect(SocketAddress(path: "/" + String(repeating: "a", count: 106))?.family == AF_UNIX)
    #expect(SocketAddress(path: "/" + String(repeating: "a", count: 107)) == nil)
    #expect(SocketAddress(path: "") == nil)
  }

  @Test("is connected to, and a refusal has its reason")
  func connecting() throws {
    let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
    let listener = try address.makeSocket()
    try listener.bind(to: address)
    #expect(listen(listener.number, 1) == 0)
    let port = try #require(UInt16(exactly: clinux_local_port(listener.number)))
    let poller = try Poller()
    var events = Events()
    let target = try #require(SocketAddress(host: "127.0.0.1", port: port))
    let socket = try Descriptor.connecting(to: target)
    #expect(fcntl(socket.number, F_GETFD) & FD_CLOEXEC != 0, "no child inherits it")
    try poller.add(socket.number, .write, Token(owner: 0))
    try poller.wait(from: .now, until: .now + .seconds(5), &events)
    #expect(events.count == 1)
    #expect(socket.connectionError == nil)
    let missing = try #require(SocketAddress(path: "/nowhere/socket"))
    let error = #expect(throws: SystemError.self) { _ = try Descriptor.connecting(to: missing) }
    #expect(error?.code == ENOENT)
  }
}
