import BasicContainers

@testable import HTTP
@testable import HTTPTestSupport

/// What the parser says of the bytes that came, and of fewer of them.
private enum Verdict: Equatable {
  case request(RequestHead)
  case incomplete
  case refused(RequestError)

  /// Parses in storage that ends with the last byte, so that a look beyond it is noticed.
  init(_ bytes: ArraySlice<UInt8>, after offset: Int = 0) {
    var buffer = ByteBuffer(minimumCapacity: offset + bytes.count)
    for _ in 0..<offset { buffer.append(0x41) }
    buffer.append(copying: bytes.span)
    do throws(RequestError) {
      let head = try RequestParser.parse(buffer, from: offset, .small)
      self = head.map { .request($0.moved(by: -offset)) } ?? .incomplete
    } catch {
      self = .refused(error)
    }
  }
}

extension RequestHead {
  /// The same, where another number of bytes stands before it.
  fileprivate func moved(by distance: Int) -> RequestHead {
    var moved = self
    if case .path(let path, let query) = target {
      moved.target = .path(path.moved(by: distance), query: query.moved(by: distance))
    }
    return moved
  }
}

extension Range<Int> {
  fileprivate func moved(by distance: Int) -> Range<Int> {
    lowerBound + distance..<upperBound + distance
  }
}

/// What libFuzzer calls with every input: what was decided of a beginning stays decided, at whatever
/// place in the storage it stands.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  // Sound: libFuzzer lends that many bytes for the length of the call.
  let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
  let whole = Verdict(input[...])
  for offset in 1..<8 where Verdict(input[...], after: offset) != whole {
    fatalError("differs after \(offset) bytes: \(whole)")
  }
  for end in 0..<input.count {
    let verdict = Verdict(input[..<end])
    guard verdict == .incomplete || verdict == whole else {
      fatalError("\(verdict) after \(end) bytes, then \(whole)")
    }
  }
  if case .request(let head) = whole {
    guard Verdict(input[..<head.length]) == whole else { fatalError("more than its length") }
  }
  return 0
}
