import HTTP
import System

/// `{"value":43}`
struct NumberBody: ResponseBody {
  let number: Int64

  private static var before: StaticString { #"{"value":"# }

  var count: Int { Self.before.utf8CodeUnitCount &+ Decimal.width(of: number) &+ 1 }

  func write(to output: inout OutputSpan<UInt8>) {
    output.append(Self.before)
    output.append(decimal: number)
    output.append("}")
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
