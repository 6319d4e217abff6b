import System
import Testing

@testable import CounterApp

@Suite("The stages of a stop")
struct ShutdownTests {
  @Test("only go on")
  func order() throws {
    let shutdown = try Shutdown(loops: 1)
    #expect(shutdown.stage == .serving)
    shutdown.leave()
    #expect(shutdown.stage == .leaving)
    shutdown.abort()
    shutdown.leave()
    shutdown.drain(until: .now)
    #expect(shutdown.stage == .aborting)
  }
}
