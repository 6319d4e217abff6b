import Testing

@testable import HTTPTestSupport

@Suite("The request table, by a server in this process")
struct InProcessRequestTableTests {
  @Test("has 150 cases, each of them once")
  func size() {
    #expect(RequestTable.all.count >= 150)
    #expect(Set(RequestTable.all.map(\.bytes)).count > RequestTable.all.count - 5)
    let names = Dictionary(grouping: RequestTable.all, by: \.description).filter { $1.count > 1 }
    #expect(names.keys.sorted() == [])
  }

  @Test("comes out as it says, sent at once", arguments: RequestTable.all)
  func whole(_ request: RequestCase) throws {
    var server = try InProcessServer()
    for pace in InProcessServer.Pace.allCases {
      let conversation = try server.converse([(request.bytes + RequestTable.probe)[...]], pace)
      #expect(conversation.outcome == request.outcome, "\(conversation)")
      #expect(conversation.isHonest, "\(conversation)")
    }
  }

  @Test("comes out the same, split in two at every byte", arguments: RequestTable.all)
  func split(_ request: RequestCase) throws {
    var server = try InProcessServer()
    let bytes = request.bytes + RequestTable.probe
    let whole = try server.converse([bytes[...]])
    for place in places(in: bytes.count) {
      let conversation = try server.converse([bytes[..<place], bytes[place...]])
      #expect(conversation == whole, "split at byte \(place)")
    }
  }

  @Test(
    "comes out the same, byte by byte",
    arguments: RequestTable.all.filter { $0.bytes.count < 2000 })
  func byteByByte(_ request: RequestCase) throws {
    var server = try InProcessServer()
    let bytes = request.bytes + RequestTable.probe
    let whole = try server.converse([bytes[...]])
    let conversation = try server.converse(bytes.indices.map { bytes[$0...$0] })
    #expect(conversation == whole)
  }

  /// Every place in a short text; in a long one, the first and last hundred, and some between.
  private func places(in count: Int) -> [Int] {
    guard count > 2000 else { return Array(1..<count) }
    let between = stride(from: 100, to: count - 100, by: max(1, count / 20))
    return Array(1..<100) + between + Array(count - 100..<count)
  }
}
