import Foundation
import HTTP
import Testing

@testable import HTTPTestSupport

@Suite("What the fuzzer found worth keeping")
struct CorpusTests {
  @Test(
    "is answered the same in whatever pieces it comes", arguments: InProcessServer.Pace.allCases)
  func splits(pace: InProcessServer.Pace) throws {
    for limits in [Limits.small, Limits()] {
      var server = try InProcessServer(limits)
      for bytes in try Corpus.all() {
        let whole = try server.converse([bytes[...]])
        #expect(!whole.closing.dropLast().contains(true), "\(whole)")
        let byteByByte = try server.converse(bytes.indices.map { bytes[$0...$0] }, pace)
        #expect(byteByByte == whole, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
        for place in bytes.indices where bytes.count < 200 {
          let inTwo = try server.converse([bytes[..<place], bytes[place...]], pace)
          #expect(inTwo == whole, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
        }
      }
    }
  }

  @Test("is there")
  func isThere() throws {
    #expect(try Corpus.all().count > 50)
  }
}

/// The inputs in `Fuzzing/Corpus`.
enum Corpus {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fuzzing/Corpus")

  static func all() throws -> [[UInt8]] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
      Array(try Data(contentsOf: folder.appendingPathComponent(name)))
    }
  }
}
