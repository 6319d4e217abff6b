import Foundation
import Testing

@testable import TestSupport

@Suite("docs/moving.md", .serialized)
struct MovingTests {
  private let lines: [String]

  init() throws {
    let page = try String(contentsOfFile: "\(Tools.repository)/docs/moving.md", encoding: .utf8)
    lines = page.components(separatedBy: "\n")
  }

  /// A row of a table: a request of Counter with its header fields, and the response to it.
  private struct Row {
    let line: String
    let fields: [String]
    let answer: String
  }

  private var rows: [Row] {
    lines.compactMap { line in
      let cells = line.components(separatedBy: " | ").map { cell in
        cell.components(separatedBy: "`").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
      }
      guard line.hasPrefix("| `"), cells.count == 3, let request = cells[1].first,
        let answer = cells[2].first
      else { return nil }
      return Row(line: request, fields: Array(cells[1].dropFirst()), answer: answer)
    }
  }

  /// The commands of the page, a text for each block.
  private var commands: [String] {
    lines.split { $0.hasPrefix("```") }.enumerated().filter { $0.offset % 2 == 1 }
      .map { $0.element.joined(separator: "\n") }
  }

  @Test("has requests that are answered as its tables say, one after the other")
  func requests() throws {
    try withTokens { counter, _ in
      let client = try counter.client()
      let rows = rows
      #expect(rows.count > 25)
      for row in rows {
        let needsToken = !row.line.hasPrefix("GET")
        if needsToken { #expect(try client.ask(row.line, row.fields).status == 401, "\(row.line)") }
        let response = try client.manage(row.line, row.fields)
        #expect((200...201).contains(response.status), "\(row.line)")
        #expect(
          response.body.trimmingCharacters(in: .newlines) == row.answer,
          "\(row.line): \(response.body)")
      }
      expectProblem(
        try client.ask("GET /hit/:HOST:/:PATHNAME:"), 400,
        "A namespace is made of A-Z, a-z, 0-9, '.', '_' and '-'.")
    }
  }

  @Test("has commands that bring numbers along, each number once")
  func numbers() throws {
    try withTokens { old, _ in
      #expect(try old.client().manage("PUT /counters/blog/home?value=4711").status == 201)
      #expect(try old.client().manage("PUT /counters/blog/about?value=-3").status == 201)
      try withTokens { counter, _ in
        try withTemporaryFolder { folder in try bringNumbers(from: old, to: counter, folder) }
      }
    }
  }

  private func bringNumbers(
    from old: CounterProcess, to counter: CounterProcess, _ folder: String
  ) throws {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    let webdis = try ScriptedServer([head + "100", head + "20"])
    let environment = [
      "PATH": "/usr/bin:/bin", "OLD": "http://127.0.0.1:\(old.port)",
      "WEBDIS": "http://127.0.0.1:\(webdis.port)", "TOKEN": TestToken.blog,
      "COUNTER": "http://127.0.0.1:\(counter.port)",
    ]
    func run(_ command: String) throws -> String {
      let shell = try ChildProcess(
        "/bin/sh", ["-euc", command], environment: environment, folder: folder)
      #expect(try shell.waitForExit(within: .seconds(30)) == 0, "\(command): \(shell.errors)")
      #expect(shell.errors.isEmpty)
      return shell.output
    }
    let commands = commands
    try #require(commands.count == 5)
    #expect(try run(commands[0]).isEmpty)
    #expect(try run(commands[1]).isEmpty)
    #expect(try run(commands[2]) == "{\"value\":4711}\n{\"value\":-3}\n")
    #expect(try counter.client().ask("GET /hit/blog/home").value == 4712)
    // The text stands twice in each of two problems.
    #expect(try run(commands[2]).components(separatedBy: "exists already").count == 5)
    for _ in 0..<2 {
      #expect(try run(commands[3]) == "{\"value\":4812}\n{\"value\":17}\n")
    }
    #expect(try run(commands[4]) == #"{"values":{"home":4812,"about":17}}"#)
  }
}
