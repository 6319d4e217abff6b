import BasicContainers
import Counting
import System

/// The name of the counter that a request is about, decoded and checked: a namespace, a slash and a key.
/// It is used for one request after another.
struct NameBuffer: ~Copyable {
  private var bytes = UniqueArray<UInt8>(minimumCapacity: 256)
  private var namespaceCount = 0

  /// The whole name.
  var name: Span<UInt8> {
    @_lifetime(borrow self)
    get { bytes.span }
  }

  /// The whole name, to be kept.
  var copy: [UInt8] { (0..<bytes.count).map { bytes[$0] } }

  /// The namespace as text.
  var namespaceText: String { String(copying: bytes.span.extracting(0..<namespaceCount)) }

  /// The key, which must have been set.
  var key: Span<UInt8> {
    @_lifetime(borrow self)
    get { bytes.span.extracting((namespaceCount + 1)...) }
  }

  /// The key as text, which must have been set.
  var keyText: String { String(copying: key) }

  /// Begins a name with its namespace.
  @inline(__always)
  mutating func setNamespace(_ range: Range<Int>, of request: Span<UInt8>) throws(Problem) {
    bytes.removeAll(keepingCapacity: true)
    guard bytes.append(decoding: range, of: request, .path) else { throw .malformedQuery }
    do throws(NameError) {
      try CounterName.checkNamespace(bytes.span)
    } catch {
      throw .name(error)
    }
    namespaceCount = bytes.count
    bytes.append(UInt8(ascii: "/"))
  }

  /// Begins a name with the namespace of requests that name none, as with CountAPI.
  mutating func setDefaultNamespace() {
    bytes.removeAll(keepingCapacity: true)
    for byte in "default".utf8 { bytes.append(byte) }
    namespaceCount = bytes.count
    bytes.append(UInt8(ascii: "/"))
  }

  /// Completes the name with a key, in place of the one before.
  @inline(__always)
  mutating func setKey(
    _ range: Range<Int>, of request: Span<UInt8>, _ encoding: PercentEncoding
  ) throws(Problem) {
    let start = namespaceCount &+ 1
    if bytes.count > start { bytes.removeLast(bytes.count &- start) }
    guard bytes.append(decoding: range, of: request, encoding) else { throw .malformedQuery }
    do throws(NameError) {
      try CounterName.checkKey(bytes.span.extracting(start...))
    } catch {
      throw .name(error)
    }
  }
}
