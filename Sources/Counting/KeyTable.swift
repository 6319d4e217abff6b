import BasicContainers
import Glibc

/// A key in Redis, as its number in the table of keys.
package struct KeyID: Equatable, Sendable, BitwiseCopyable {
  let index: UInt32

  /// The counter of `/`, which is stored under `hits`.
  package static var hits: KeyID { KeyID(index: 0) }
}

/// The keys in Redis that waiting visits and the batch in flight refer to, as small numbers.
///
/// A hash table with open addressing, linear probing and a random seed. A key is in the table while
/// something refers to it, and no longer: names that clients make up take memory only while their visits
/// wait.
struct KeyTable: ~Copyable {
  /// A key, or a free place for one.
  struct Entry: ~Copyable {
    var hash = 0
    /// The bytes of the key. The storage of a short key is kept for the next key.
    var key = UniqueArray<UInt8>()
    /// Where the name of the counter starts in the key.
    var nameStart = 0
    /// How many visits and operations refer to the key; a free entry has none.
    var referenceCount = 0
    /// The operation of the batch that is being collected to which further hits are added; -1 for none.
    var openOperation = -1

    /// Compares the name.
    @inline(__always)
    func isNamed(_ name: Span<UInt8>) -> Bool {
      let count = name.count
      guard key.count &- nameStart == count else { return false }
      return unsafe key.span.withUnsafeBufferPointer { key in
        unsafe name.withUnsafeBufferPointer { name in
          guard let key = key.baseAddress, let name = name.baseAddress else { return true }
          // Sound: both have as many bytes from there on as were just found equal.
          return unsafe memcmp(key + nameStart, name, count) == 0
        }
      }
    }
  }

  private(set) var entries = UniqueArray<Entry>()
  private var freeEntries = UniqueArray<UInt32>()

  /// For each place of the hash table the index of an entry, or `empty`.
  private var places = UniqueArray<UInt32>(repeating: empty, count: 64)

  private let seeds = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max) | 1)

  /// How many keys can be found by their names.
  private(set) var count = 0

  private static var empty: UInt32 { .max }

  /// Storage up to this size is kept for the next key of an entry.
  private static var keptCapacity: Int { 64 }

  /// - Parameter hits: the key of the counter of `/`. It has no name, and stays in the table.
  init(hits: String) {
    var entry = Entry()
    for byte in hits.utf8 { entry.key.append(byte) }
    entry.referenceCount = 1
    entries.append(entry)
  }

  /// The key of an entry that is referred to.
  @_lifetime(borrow self)
  func key(_ id: KeyID) -> Span<UInt8> { entries[Int(id.index)].key.span }

  /// The bucket of a counter with a name; nil for the counter of `/`.
  func bucket(of id: KeyID) -> Int? {
    guard id != .hits else { return nil }
    let key = key(id)
    let digit = Int(key[1] &- UInt8(ascii: "0"))
    return key[2] == UInt8(ascii: "}") ? digit : digit * 10 + Int(key[2] &- UInt8(ascii: "0"))
  }

  /// The operation to which further hits of a counter are added; -1 for none.
  @inline(__always)
  func openOperation(_ id: KeyID) -> Int { entries[Int(id.index)].openOperation }

  @inline(__always)
  mutating func setOpenOperation(_ id: KeyID, _ operation: Int) {
    entries[Int(id.index)].openOperation = operation
  }
}

// MARK: - References

extension KeyTable {
  /// Refers to a key that is in the table.
  @inline(__always)
  mutating func retain(_ id: KeyID) { entries[Int(id.index)].referenceCount &+= 1 }

  /// Ends a reference. The key leaves the table with the last one.
  @inline(__always)
  mutating func release(_ id: KeyID) {
    let index = Int(id.index)
    entries[index].referenceCount &-= 1
    if entries[index].referenceCount == 0 { remove(index) }
  }

  /// Refers to the key `{BUCKET}:NAME`, and adds it to the table if it is not there.
  ///
  /// - Parameters:
  ///   - name: the name of a counter, or of something that belongs to one.
  ///   - bucket: the bucket of the counter; by default that of the name.
  /// - Returns: nil when the table is full.
  @inline(__always)
  mutating func retain(name: Span<UInt8>, bucket: UInt16? = nil) -> KeyID? {
    let hash = hash(name)
    var place = hash & (places.count &- 1)
    while places[place] != Self.empty {
      let index = Int(places[place])
      if entries[index].hash == hash, entries[index].isNamed(name) {
        entries[index].referenceCount &+= 1
        return KeyID(index: places[place])
      }
      place = (place &+ 1) & (places.count &- 1)
    }
    guard count < Limits.knownKeys else { return nil }
    return insert(name, bucket ?? CounterName.bucket(name), hash)
  }

  @inline(never)
  private mutating func insert(_ name: Span<UInt8>, _ bucket: UInt16, _ hash: Int) -> KeyID {
    if (count + 1) * 2 > places.count { grow() }
    let index = takeFreeEntry()
    entries[index].hash = hash
    entries[index].referenceCount = 1
    entries[index].key.append(UInt8(ascii: "{"))
    if bucket >= 10 { entries[index].key.append(UInt8(ascii: "0") + UInt8(bucket / 10)) }
    entries[index].key.append(UInt8(ascii: "0") + UInt8(bucket % 10))
    entries[index].key.append(UInt8(ascii: "}"))
    entries[index].key.append(UInt8(ascii: ":"))
    entries[index].nameStart = entries[index].key.count
    entries[index].key.append(copying: name)
    places[freePlace(hash)] = UInt32(index)
    count += 1
    return KeyID(index: UInt32(index))
  }

  private mutating func takeFreeEntry() -> Int {
    if let index = freeEntries.popLast() { return Int(index) }
    entries.append(Entry())
    return entries.count - 1
  }

  private func freePlace(_ hash: Int) -> Int {
    var place = hash & (places.count &- 1)
    while places[place] != Self.empty { place = (place &+ 1) & (places.count &- 1) }
    return place
  }

  private mutating func grow() {
    let size = places.count * 2
    places = UniqueArray(repeating: Self.empty, count: size)
    for index in 1..<entries.count where entries[index].referenceCount > 0 {
      places[freePlace(entries[index].hash)] = UInt32(index)
    }
  }

  @inline(never)
  private mutating func remove(_ index: Int) {
    var gap = entries[index].hash & (places.count &- 1)
    while places[gap] != UInt32(index) { gap = (gap &+ 1) & (places.count &- 1) }
    closeGap(gap)
    entries[index].key.removeAll(keepingCapacity: entries[index].key.capacity <= Self.keptCapacity)
    entries[index].openOperation = -1
    freeEntries.append(UInt32(index))
    count -= 1
  }

  /// Empties a place. Entries behind it that would not be found any more move towards their own place.
  private mutating func closeGap(_ start: Int) {
    let mask = places.count &- 1
    var gap = start
    var place = (gap &+ 1) & mask
    while places[place] != Self.empty {
      let home = entries[Int(places[place])].hash & mask
      // The distance from the entry's own place is greater than that from the gap.
      if (place &- home) & mask >= (place &- gap) & mask {
        places[gap] = places[place]
        gap = place
      }
      place = (place &+ 1) & mask
    }
    places[gap] = Self.empty
  }

  /// Multiplies eight bytes at a time into a state with two random seeds, as wyhash does: clients that choose
  /// names cannot make them collide. The standard library's hash would take 160 instructions more.
  @inline(__always)
  private func hash(_ name: Span<UInt8>) -> Int {
    var state = seeds.0 ^ UInt64(truncatingIfNeeded: name.count)
    var start = 0
    while start &+ 8 < name.count {
      state = Self.mix(state ^ name.word(start), seeds.1)
      start &+= 8
    }
    // The last eight bytes, some of them for the second time, take less than the rest one by one.
    let last = name.count >= 8 ? name.word(name.count &- 8) : name.shortWord
    state = Self.mix(state ^ last, seeds.1)
    return Int(truncatingIfNeeded: state)
  }

  @inline(__always)
  private static func mix(_ word: UInt64, _ seed: UInt64) -> UInt64 {
    let product = word.multipliedFullWidth(by: seed)
    return product.high ^ product.low
  }
}

extension Span<UInt8> {
  /// Eight bytes as a number.
  @inline(__always)
  fileprivate func word(_ start: Int) -> UInt64 {
    precondition(start >= 0 && start &+ 8 <= count)
    // Sound: the eight bytes lie within the span, and any eight bytes are a number.
    return unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt64.self)
  }

  /// All bytes, fewer than eight, as a number.
  @inline(__always)
  fileprivate var shortWord: UInt64 {
    var word: UInt64 = 0
    for index in 0..<count { word = word << 8 | UInt64(self[index]) }
    return word
  }
}
