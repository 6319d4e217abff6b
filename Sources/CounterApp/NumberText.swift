import BasicContainers
import HTTP
import System

/// A text with a number in it, for one response after another.
///
/// It is kept from response to response, because most numbers follow the one before: adding one to the last
/// digit in place saves some 80 instructions.
struct NumberText: ~Copyable {
  private let before: StaticString
  private let after: StaticString
  private var bytes = UniqueArray<UInt8>()
  private var number: Int64 = -1

  init(_ before: StaticString, _ after: StaticString) {
    self.before = before
    self.after = after
    render()
  }

  /// The text with the number that was set last.
  var span: Span<UInt8> {
    @_lifetime(borrow self)
    get { bytes.span }
  }

  @inline(__always)
  mutating func setNumber(_ number: Int64) {
    let lastDigit = bytes.count &- after.utf8CodeUnitCount &- 1
    let follows = number == self.number &+ 1 && number > 0
    self.number = number
    if follows, bytes[lastDigit] < UInt8(ascii: "9") {
      bytes[lastDigit] &+= 1
    } else {
      render()
    }
  }

  /// Responds with the text.
  ///
  /// - Returns: whether the client is still there.
  @inline(__always)
  func respond(
    _ exchange: Exchange, _ head: inout RepeatedHead, _ server: inout Server
  ) -> Bool {
    server.respond(exchange, &head, bytes.span)
  }

  @inline(never)
  private mutating func render() {
    bytes.removeAll(keepingCapacity: true)
    let size = before.utf8CodeUnitCount + Decimal.longest + after.utf8CodeUnitCount
    bytes.append(addingCount: size) { output in
      output.append(before)
      output.append(decimal: number)
      output.append(after)
    }
  }
}
