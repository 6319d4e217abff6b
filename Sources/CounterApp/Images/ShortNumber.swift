import BasicContainers
import System

/// A large number in few characters: `1.2k`, `34M`.
///
/// The rule is that of shields.io: the prefixes of the SI, one decimal below ten unless it is 0, and rounded
/// half up.
struct ShortNumber {
  private let number: Int64

  init(_ number: Int64) { self.number = number }

  func write(to buffer: inout UniqueArray<UInt8>) {
    let magnitude = number.magnitude
    guard magnitude >= 1000 else { return buffer.append(decimal: number) }
    if number < 0 { buffer.append("-") }
    let prefixes: InlineArray<6, StaticString> = ["k", "M", "G", "T", "P", "E"]
    var unit: UInt64 = 1000
    var prefix = 0
    while magnitude / unit >= 1000 {
      unit *= 1000
      prefix += 1
    }
    let tenths = Self.quotient(magnitude, unit / 10)
    let whole = Self.quotient(magnitude, unit)
    if tenths < 100, tenths % 10 != 0 {
      buffer.append(decimal: Int64(tenths / 10))
      buffer.append(".")
      buffer.append(decimal: Int64(tenths % 10))
    } else if whole < 1000 {
      buffer.append(decimal: Int64(whole))
    } else {
      buffer.append("1")
      prefix += 1
    }
    buffer.append(prefixes[prefix])
  }

  /// A quotient, rounded half up.
  private static func quotient(_ dividend: UInt64, _ divisor: UInt64) -> UInt64 {
    let (quotient, rest) = dividend.quotientAndRemainder(dividingBy: divisor)
    return rest >= divisor - rest ? quotient + 1 : quotient
  }
}
