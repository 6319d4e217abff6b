import Foundation
import HTTP
import Testing

@testable import HTTPTestSupport
@testable import TestSupport

/// Whatever h11, a strict parser that others wrote, refuses must not be taken here, and the other
/// way round, but for what `differences.txt` lists and explains.
@Suite("In comparison with h11")
struct ComparisonTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  private static let root = folder.deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let python = root.appendingPathComponent(".build/python/bin/python").path

  private static var hasPython: Bool { FileManager.default.isExecutableFile(atPath: python) }

  @Test("nothing differs but what is listed and explained", .enabled(if: hasPython))
  func differences() throws {
    let inputs = try Self.inputs()
    let verdicts = try Self.verdicts(on: inputs)
    try #require(verdicts.count == inputs.count)

    var server = try InProcessServer()
    var differences = try Self.listed()
    for (input, verdict) in zip(inputs, verdicts) {
      let conversation = try server.converse([input[...]])
      guard let (stricter, words) = Self.difference(conversation, verdict) else { continue }
      let text = String(decoding: input, as: UTF8.self)
      let index = try differences.firstIndex { try $0.explains(stricter, words, text) }
      if let index {
        differences[index].isMet = true
      } else {
        Issue.record("\(stricter) | \(words) | \(text.debugDescription)")
      }
    }
    for difference in differences where !difference.isMet {
      Issue.record("listed, but never met: \(difference)")
    }
  }

  /// Who takes fewer requests than the other, and what it says of the next one.
  private static func difference(
    _ conversation: Conversation, _ verdict: Verdict
  ) -> (stricter: String, words: String)? {
    let taken = conversation.statuses.count - (conversation.refusal == nil ? 0 : 1)
    if taken == verdict.requests { return nil }
    if taken > verdict.requests { return ("h11", verdict.reason ?? verdict.end) }
    return ("counter", conversation.refusal ?? "nothing")
  }

  /// The table, the corpus, and ten times as many texts that differ a little from theirs.
  private static func inputs() throws -> [[UInt8]] {
    let originals =
      RequestTable.all.map { $0.bytes + RequestTable.probe }.filter { $0.count < 2000 }
      + (try Corpus.all())
    let mutants = originals.flatMap { original in
      var generator = Seeded(with: original)
      return (0..<10).map { _ in
        let other = RequestTable.all.randomElement(using: &generator)?.bytes.prefix(2000) ?? []
        return original.mutated(with: Array(other), by: &generator)
      }
    }
    return originals + mutants
  }

  private static func verdicts(on inputs: [[UInt8]]) throws -> [Verdict] {
    try withTemporaryFolder { folder in
      let lines = inputs.map { $0.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) } }
      try lines.map { $0.joined() + "\n" }.joined()
        .write(toFile: "\(folder)/inputs", atomically: false, encoding: .ascii)
      let process = try ChildProcess(
        python, [Self.folder.appendingPathComponent("verdicts.py").path, "\(folder)/inputs"],
        environment: [:], folder: folder)
      let code = try process.waitForExit(within: .seconds(120))
      try #require(code == 0, "\(process.errors)")
      return try process.output.split(separator: "\n").map {
        try JSONDecoder().decode(Verdict.self, from: Data($0.utf8))
      }
    }
  }

  private static func listed() throws -> [Difference] {
    let file = folder.appendingPathComponent("differences.txt")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    return try lines.filter { !$0.hasPrefix("#") }.map { line in
      let columns = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      try #require(columns.count == 4, "\(line)")
      return Difference(
        stricter: columns[0], words: columns[1], pattern: columns[2], reason: columns[3])
    }
  }
}

/// A line of the list.
private struct Difference {
  let stricter: String
  let words: String
  let pattern: String
  let reason: String

  /// Whether the list is right in having it.
  var isMet = false

  func explains(_ stricter: String, _ words: String, _ input: String) throws -> Bool {
    guard stricter == self.stricter, words == self.words else { return false }
    return try input.contains(Regex(pattern))
  }
}

/// What h11 says of an input.
private struct Verdict: Decodable {
  /// How many requests it took.
  let requests: Int

  /// What it waits for after them.
  let end: String

  /// Why it refuses the next one, if it does.
  let reason: String?
}

extension Conversation {
  /// What the client is told when a request is refused, else nil.
  fileprivate var refusal: String? {
    let explanations = RequestError.allCases.map(\.explanation.description)
    return explanations.first { last.hasSuffix(#""error":"\#($0)"}"#) }
  }
}
