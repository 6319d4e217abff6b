import BasicContainers
import Foundation
import Testing

@testable import Counting
@testable import HTTPTestSupport
@testable import TestSupport

extension KeyTable {
  fileprivate mutating func retain(_ name: String) -> KeyID? { retain(name: Array(name.utf8).span) }

  /// The same, in a table that is not full.
  fileprivate mutating func take(_ name: String, bucket: UInt16? = nil) throws -> KeyID {
    guard let id = retain(name: Array(name.utf8).span, bucket: bucket) else {
      throw NeverHappened(description: "the table is full")
    }
    return id
  }

  fileprivate func text(_ id: KeyID) -> String {
    var bytes: [UInt8] = []
    for index in 0..<key(id).count { bytes.append(key(id)[index]) }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// A table and a dictionary that must agree with it.
private struct KeyTrial: ~Copyable {
  private var table = KeyTable(hits: "hits")
  private var model: [String: (id: KeyID, references: Int)] = [:]
  private var generator: Seeded
  private let names: [String]

  init(names: [String], seed: UInt64) {
    self.names = names
    generator = Seeded(seed)
  }

  /// Retains or releases a name.
  ///
  /// - Parameter percentage: how often it retains.
  mutating func change(retaining percentage: Int) {
    if Int.random(in: 0..<100, using: &generator) < percentage {
      retain(names.randomElement(using: &generator) ?? "")
    } else if let name = model.keys.sorted().randomElement(using: &generator) {
      release(name)
    }
  }

  private mutating func retain(_ name: String) {
    guard let id = table.retain(name) else {
      Issue.record("the table is full")
      return
    }
    if let known = model[name] { #expect(known.id == id, "\(name)") }
    model[name] = (id, (model[name]?.references ?? 0) + 1)
    #expect(table.count == model.count)
  }

  private mutating func release(_ name: String) {
    guard let known = model[name] else { return }
    table.release(known.id)
    model[name] = known.references > 1 ? (known.id, known.references - 1) : nil
    #expect(table.count == model.count)
  }

  /// Looks each key of the model up, by its number and by its name.
  mutating func compare() {
    for (name, known) in model {
      #expect(table.text(known.id) == counterKey(name))
      #expect(table.retain(name) == known.id, "\(name) is found")
      table.release(known.id)
    }
    #expect(Set(model.values.map(\.id.index)).count == model.count)
    #expect(table.count == model.count)
    #expect(table.text(.hits) == "hits")
  }

  mutating func releaseAll() {
    while let name = model.keys.first { release(name) }
    #expect(table.count == 0)
  }
}

@Suite("The table of keys")
struct KeyTableTests {
  @Test(
    "finds each key that is referred to, and no other, in the smallest table", arguments: 0..<40)
  func small(seed: UInt64) {
    // Half of the places are taken, so there are many chains, and chains that go round the end.
    var trial = KeyTrial(names: (0..<32).map { "a/\($0)" }, seed: seed)
    for _ in 0..<500 {
      trial.change(retaining: 60)
      trial.compare()
    }
    trial.releaseAll()
  }

  @Test("does so while it grows and empties again", arguments: 0..<4)
  func growing(seed: UInt64) {
    var trial = KeyTrial(names: (0..<3000).map { "name/\($0)" }, seed: seed)
    for percentage in [90, 30, 80, 10] {
      for _ in 0..<1500 { trial.change(retaining: percentage) }
      trial.compare()
    }
    trial.releaseAll()
    trial.compare()
  }

  @Test("keeps names apart that differ in one byte, be it the last")
  func similarNames() {
    let long = String(repeating: "k", count: 128)
    var names = ["a/b", "a/c", "b/b", "a/", "a/b/", "a/bb", "aa/b", "a/B", "a/é", "a/e\u{301}"]
    for place in [0, 1, 64, 126, 127] {
      let index = long.index(long.startIndex, offsetBy: place)
      names.append("n/" + long.replacingCharacters(in: index...index, with: "x"))
    }
    names += (0..<26).map { "n/" + long.dropLast() + String(UnicodeScalar(UInt8(0x61 + $0))) }
    let different = Set(names.map { Array($0.utf8) })
    var table = KeyTable(hits: "hits")
    var ids: [UInt32] = []
    for name in names { ids.append(table.retain(name)?.index ?? 0) }
    #expect(Set(ids).count == different.count)
    #expect(table.count == different.count)
    for (name, id) in zip(names, ids) {
      #expect(Array(table.text(KeyID(index: id)).utf8) == Array(counterKey(name).utf8))
    }
  }

  @Test("keeps the record of an idempotency key in the bucket of its counter")
  func bucket() throws {
    var table = KeyTable(hits: "hits")
    for bucket: UInt16 in 0..<16 {
      let name = "once:3:a/b:\(bucket)"
      let id = try table.take(name, bucket: bucket)
      #expect(table.text(id) == "{\(bucket)}:\(name)")
    }
  }

  @Test("refuses a further key when it holds 8,192, and takes those that it holds")
  func full() throws {
    var table = KeyTable(hits: "hits")
    var ids: [KeyID] = []
    for index in 0..<8_192 { ids.append(try table.take("a/\(index)")) }
    #expect(table.retain("a/last") == nil)
    #expect(table.count == 8_192)
    #expect(table.retain("a/77") == ids[77])
    table.release(ids[77])
    #expect(table.retain("a/last") == nil)
    table.release(ids[77])
    #expect(table.retain("a/last") != nil)
    #expect(table.retain("a/77") == nil)
    for index in 0..<8_192 where index != 77 {
      #expect(table.retain("a/\(index)") == ids[index])
    }
  }

  @Test("takes no more entries than there were keys at a time, and gives long keys' storage back")
  func storage() throws {
    var table = KeyTable(hits: "hits")
    let long = String(repeating: "k", count: 128)
    for round in 0..<2000 {
      var ids: [KeyID] = []
      for index in 0..<5 {
        ids.append(try table.take("a/\(index == 0 ? long : "")\(round * 5 + index)"))
      }
      for id in ids { table.release(id) }
    }
    let entryCount = table.entries.count
    #expect(entryCount == 6, "five and that of `hits`")
    for index in 1..<entryCount {
      let capacity = table.entries[index].key.capacity
      #expect(capacity <= 64)
    }
  }

  @Test("forgets which operation a key had in a batch when its entry is used for another key")
  func openOperation() throws {
    var table = KeyTable(hits: "hits")
    let first = try table.take("a/1")
    table.setOpenOperation(first, 5)
    table.release(first)
    let second = try table.take("a/2")
    #expect(second == first)
    #expect(table.openOperation(second) == -1)
  }
}
