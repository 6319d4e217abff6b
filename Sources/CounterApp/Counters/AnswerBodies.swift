import HTTP
import System

/// `{"value":43}`
struct NumberBody: ResponseBody {
  private let number: Int64
  private let width: Int

  init(number: Int64) {
    self.number = number
    width = Decimal.width(of: number)
  }

  private static var before: StaticString { #"{"value":"# }

  var count: Int { Self.before.utf8CodeUnitCount &+ width &+ 1 }

  func write(to output: inout OutputSpan<UInt8>) {
    output.append(Self.before)
    output.append(decimal: number, width: width)
    output.append(UInt8(ascii: "}"))
  }
}

/// `43` on a line of its own.
struct NumberLine: ResponseBody {
  let number: Int64

  var count: Int { Decimal.width(of: number) &+ 1 }

  func write(to output: inout OutputSpan<UInt8>) {
    output.append(decimal: number)
    output.append("\n")
  }
}
