import Foundation
import System
import Testing

@testable import CounterApp
@testable import TestSupport

@Suite("The watched file of tokens")
struct TokenFileTests {
  private let lines = Lines()

  /// A file with a token, a store with what was read from it, and what watches it.
  private func withFile(
    _ body: (_ write: (String) throws -> Void, TokenStore, inout TokenFile) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/tokens"
      // Each file is a new one, as a mounted Secret's is.
      let write = { (text: String) in
        try text.write(toFile: path, atomically: true, encoding: .utf8)
      }
      try write("* first-token-0123456789\n")
      let store = TokenStore(try Tokens(adminToken: nil, file: path))
      try write("* second-token-0123456789\n")
      var file = TokenFile(path, adminToken: nil, store, lines.logger)
      try body(write, store, &file)
    }
  }

  private func knows(_ store: TokenStore, _ token: String) -> Bool {
    store.current.permission(of: Array(token.utf8).span, for: "blog") == .granted
  }

  @Test("is read again when it was replaced between the start and the first look")
  func start() throws {
    try withFile { _, store, file in
      let now = file.deadline
      file.endRound(now)
      #expect(knows(store, "second-token-0123456789"))
      #expect(!knows(store, "first-token-0123456789"))
      #expect(lines.all.count == 1)
      file.endRound(file.deadline)
      #expect(lines.all.count == 1)
    }
  }

  @Test("leaves the old tokens in force while it is broken, and says so once")
  func broken() throws {
    try withFile { write, store, file in
      file.endRound(file.deadline)
      try write("* second-token-0123456789\nblog\n")
      for _ in 0..<3 { file.endRound(file.deadline) }
      #expect(knows(store, "second-token-0123456789"))
      #expect(lines.all.count == 2)
      #expect(lines.all.last?.contains("line 2") == true)
      try write("* second-token-0123456789\n")
      file.endRound(file.deadline)
      #expect(lines.all.last?.contains("read again") == true)
    }
  }

  @Test("warns of a weak token that it brings")
  func weak() throws {
    try withFile { write, store, file in
      try write("* short\n")
      file.endRound(file.deadline)
      #expect(knows(store, "short"))
      #expect(lines.all.last?.contains("fewer than 16 characters") == true)
      #expect(!lines.all.contains { $0.contains("short") })
    }
  }
}
