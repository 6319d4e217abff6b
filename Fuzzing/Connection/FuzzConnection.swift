import Glibc
import HTTP

@testable import HTTPTestSupport

/// A whole connection, fed the input at once and in pieces: the answers must be the same to the byte.
///
/// Where it is split is drawn from a generator that is seeded with the input, so that a finding
/// repeats itself and the input is nothing but what a client sent.
@MainActor
private enum FuzzConnection {
  static var server: InProcessServer = {
    do {
      return try InProcessServer(.small)
    } catch {
      fatalError("no server: \(error)")
    }
  }()

  static func test(_ bytes: [UInt8]) throws {
    var generator = Seeded(with: bytes)
    let whole = try server.converse([bytes[...]])
    guard !whole.closing.dropLast().contains(true) else { fatalError("not the last: \(whole)") }
    let pieces = bytes.split(by: &generator)
    for pace in InProcessServer.Pace.allCases {
      let inPieces = try server.converse(pieces, pace)
      guard inPieces == whole else {
        fatalError("whole: \(whole)\nsplit at \(pieces.map(\.startIndex)), \(pace): \(inPieces)")
      }
    }
  }
}

/// Writes the table's requests as a first corpus, when asked to.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer
) -> CInt {
  signal(SIGPIPE, SIG_IGN)
  guard let folder = unsafe getenv("FUZZ_SEEDS").map({ unsafe String(cString: $0) }) else {
    return 0
  }
  for (number, request) in RequestTable.all.enumerated() where request.bytes.count < 4096 {
    guard let file = unsafe fopen("\(folder)/table-\(number)", "w") else {
      fatalError("cannot write to \(folder)")
    }
    unsafe fwrite(request.bytes, 1, request.bytes.count, file)
    unsafe fclose(file)
  }
  return 0
}

/// What libFuzzer calls with every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // Sound: libFuzzer lends that many bytes for the length of the call.
  let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
  MainActor.assumeIsolated {
    do {
      try FuzzConnection.test(input)
    } catch {
      fatalError("\(error)")
    }
  }
  return 0
}
