import Foundation
import Testing

@testable import TestSupport

@Suite("A command for counters")
struct CommandTests {
  /// Runs a command with a token for all namespaces, unless the environment says otherwise.
  private func run(
    _ arguments: [String], of counter: CounterProcess, token: String? = TestToken.all
  ) throws -> (exitCode: Int32?, output: String, errors: String) {
    try withTemporaryFolder { folder in
      var environment = ["COUNTER_SERVER": "http://127.0.0.1:\(counter.port)"]
      environment["COUNTER_TOKEN"] = token
      let command = try CounterProcess.run(arguments, environment: environment, folder: folder)
      return (command.exitCode, command.output, command.errors)
    }
  }

  @Test("counts, reads, sets, lists and removes, and prints the number")
  func numbers() throws {
    try withTokens { counter, _ in
      let steps: [([String], String)] = [
        (["hit", "blog/home"], "1\n"), (["hit", "blog/home", "--by", "-3"], "-2\n"),
        (["hit", "blog/home", "--by", "9223372036854775807"], "9223372036854775805\n"),
        (["set", "blog/home", "41"], "41\n"), (["get", "blog/home"], "41\n"),
        (["hit", "blog/home", "--idempotency-key", "a:/b"], "42\n"),
        (["hit", "blog/home", "--idempotency-key", "a:/b"], "42\n"),
        (["get", "blog/home"], "42\n"), (["set", "blog/a b/ü?&%", "-7", "--create"], "-7\n"),
        (["get", "blog/a b/ü?&%"], "-7\n"), (["delete", "blog/home"], "42\n"),
        (["list", "blog"], "-7\ta b/ü?&%\n"), (["list", "empty"], ""),
      ]
      for (arguments, output) in steps {
        let command = try run(arguments, of: counter)
        #expect(command.output == output, "\(arguments): \(command.errors)")
        #expect(command.exitCode == 0)
      }
    }
  }

  @Test("lists all pages of a namespace")
  func pages() throws {
    try withTokens { counter, redis in
      for index in 0..<1500 {
        _ = try redis.command("SET", "{0}:many/\(index)", "\(index)")
      }
      let lines = try run(["list", "many"], of: counter).output.split(separator: "\n")
      #expect(Set(lines) == Set((0..<1500).map { "\($0)\t\($0)" }))
    }
  }

  @Test("says why it was refused, in one line, with exit code 1")
  func refused() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      #expect(try client.ask("GET /hit/blog/home").value == 1)
      let cases: [([String], String?, String)] = [
        (["get", "blog/none"], nil, "404: The counter does not exist."),
        (["delete", "blog/none"], TestToken.all, "404: The counter does not exist."),
        (["set", "blog/home", "1", "--create"], TestToken.all, "412: The counter exists already."),
        (["set", "blog/home", "1"], nil, "401: This request needs a token"),
        (["list", "blog"], "wrong-token", "401: The token is not known."),
        (["hit", "blog/home", "--by", "9223372036854775807"], TestToken.all, "409: The number"),
      ]
      for (arguments, token, reason) in cases {
        let command = try run(arguments, of: counter, token: token)
        #expect(command.exitCode == 1, "\(arguments)")
        #expect(command.output.isEmpty)
        #expect(command.errors.hasPrefix("counter: \(reason)"), "\(command.errors)")
        #expect(command.errors.split(separator: "\n").count == 1)
      }
      #expect(try client.ask("GET /get/blog/home").value == 1)
    }
  }

  @Test(
    "names what is wrong with its arguments, with exit code 64",
    arguments: [
      (["get", "blog"], "A key has 1 to 128 bytes."), (["get", "/a"], "A namespace has 1 to 64"),
      (["hit", "b/.."], "A key has no segment"), (["hit", "b/a", "--by", "x"], "--by"),
      (["set", "b/a", "9223372036854775808"], "<value>"), (["get"], "<counter>"),
      (["get", "b/a", "--server", "ftp://x"], "--server"),
      (["get", "b/a", "--token-file", "/nonexistent"], "--token-file"),
      (["hit", "b/a", "--by", "0"], "--by: '0' is not an integer other than 0"),
      (["hit", "b/a", "--idempotency-key", ""], "a key has 1 to 255 visible ASCII characters"),
      (["hit", "b/a", "--idempotency-key", "k\r\nX: y"], "a key has 1 to 255 visible ASCII"),
      (["hit", "b/a", "--idempotency-key", String(repeating: "k", count: 256)], "a key has 1 to"),
    ])
  func arguments(_ arguments: [String], _ reason: String) throws {
    try withTemporaryFolder { folder in
      let command = try CounterProcess.run(arguments, folder: folder)
      #expect(command.exitCode == 64)
      #expect(command.errors.contains(reason), "\(command.errors)")
      #expect(command.errors.split(separator: "\n").count == 1)
    }
  }

  @Test("refuses an argument that is no text in UTF-8")
  func notUTF8() throws {
    try withTemporaryFolder { folder in
      let script = #"exec "$0" get "$(printf 'blog/\377')""#
      let command = try ChildProcess(
        "/bin/sh", ["-c", script, CounterProcess.executable()], environment: [:], folder: folder)
      defer { command.end() }
      #expect(try command.waitForExit() == 64)
      #expect(command.errors.contains("argument 2 is not UTF-8"), "\(command.errors)")
    }
  }

  @Test("takes the token from a file, and says where nothing listens")
  func tokenFile() throws {
    try withTokens { counter, _ in
      try withTemporaryFolder { folder in
        try "\(TestToken.all)\n".write(toFile: "\(folder)/token", atomically: true, encoding: .utf8)
        let flags = ["--token-file", "\(folder)/token", "--server"]
        let set = try CounterProcess.run(
          ["set", "blog/a", "5"] + flags + ["http://127.0.0.1:\(counter.port)/"], folder: folder)
        #expect(set.output == "5\n", "\(set.errors)")
        try "\(TestToken.all)\nX-A: b\n".write(
          toFile: "\(folder)/two", atomically: true, encoding: .utf8)
        let two = try CounterProcess.run(
          ["get", "blog/a", "--token-file", "\(folder)/two"], folder: folder)
        #expect(two.exitCode == 64)
        #expect(two.errors.contains("--token-file: a token has 1 to 255 of"), "\(two.errors)")
        let port = try FreePort.take()
        let away = try CounterProcess.run(
          ["get", "blog/a", "--server", "http://127.0.0.1:\(port)"], folder: folder)
        #expect(away.exitCode == 1)
        #expect(away.errors.contains("127.0.0.1:\(port): Connection refused"), "\(away.errors)")
      }
    }
  }
}
