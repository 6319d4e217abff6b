import BasicContainers
import System

// The shapes of digits, and of the letters of `unavailable`. They were drawn for this program.

extension Odometer {
  /// A character as a line, for a box of 12 by 20 pixels.
  static func stroke(of character: UInt8) -> StaticString {
    switch character {
    case UInt8(ascii: "0"): "M6 1C2.7 1 1.2 4.6 1.2 10S2.7 19 6 19s4.8-3.6 4.8-9S9.3 1 6 1z"
    case UInt8(ascii: "1"): "M2.4 4.7 7 1v18"
    case UInt8(ascii: "2"):
      "M1.3 5.8C1.3 3 3.3 1 6 1s4.6 1.9 4.6 4.6c0 2-1.1 3.5-2.8 5.3L1.2 19H11"
    case UInt8(ascii: "3"):
      "M1.6 3.6C2.4 2 4 1 6 1c2.7 0 4.5 1.7 4.5 4.2S8.7 9.5 6 9.5H4.7M6 9.5c3 0 4.9 1.9 4.9 4.7S8.9 19 6 19c-2.2 0-4-1-4.8-2.8"
    case UInt8(ascii: "4"): "M8.6 19V1L.9 13.8h10.6"
    case UInt8(ascii: "5"):
      "M10.2 1H2.7l-.8 8.2C3 8.1 4.5 7.5 6 7.5c2.9 0 4.9 2.3 4.9 5.6S8.8 19 5.8 19c-2.1 0-3.8-1-4.7-2.7"
    case UInt8(ascii: "6"):
      "M9.9 3C9.1 1.7 7.8 1 6.3 1 3 1 1.1 4.8 1.1 11v2.3C1.1 16.7 3.1 19 6 19s4.9-2.3 4.9-5.6S8.9 7.9 6 7.9s-4.9 2.3-4.9 5.4"
    case UInt8(ascii: "7"): "M1.1 1h9.9L4.7 19"
    case UInt8(ascii: "8"):
      "M6 9.4C3.4 9.4 1.7 7.7 1.7 5.2S3.5 1 6 1s4.3 1.7 4.3 4.2S8.6 9.4 6 9.4c-2.9 0-4.9 1.9-4.9 4.8S3.1 19 6 19s4.9-1.9 4.9-4.8S8.9 9.4 6 9.4z"
    case UInt8(ascii: "9"):
      "M2.1 17c.8 1.3 2.1 2 3.6 2 3.3 0 5.2-3.8 5.2-10V6.7C10.9 3.3 8.9 1 6 1S1.1 3.3 1.1 6.6 3.1 12.1 6 12.1s4.9-2.3 4.9-5.4"
    case UInt8(ascii: "-"): "M2.5 11.6h7"
    case UInt8(ascii: "a"):
      "M10.5 8v11m0-5.5c0 3.2-1.9 5.5-4.5 5.5s-4.5-2.3-4.5-5.5S3.4 8 6 8s4.5 2.3 4.5 5.5"
    case UInt8(ascii: "b"):
      "M1.5 1v18m0-5.5C1.5 10.3 3.4 8 6 8s4.5 2.3 4.5 5.5S8.6 19 6 19s-4.5-2.3-4.5-5.5"
    case UInt8(ascii: "e"):
      "M1.6 13.3h8.9C10.5 10.2 8.7 8 6 8s-4.5 2.3-4.5 5.5S3.4 19 6 19c1.8 0 3.3-.8 4.2-2.2"
    case UInt8(ascii: "i"): "M6 8v11M6 3.3v.1"
    case UInt8(ascii: "l"): "M6 1v18"
    case UInt8(ascii: "n"): "M1.5 19V8m0 4.5C1.5 9.8 3.5 8 6.1 8c2.7 0 4.4 1.8 4.4 4.6V19"
    case UInt8(ascii: "u"): "M10.5 8v11m0-4.5c0 2.7-2 4.5-4.6 4.5-2.7 0-4.4-1.8-4.4-4.6V8"
    case UInt8(ascii: "v"): "M1.5 8 6 19l4.5-11"
    default: ""
    }
  }
}

/// A character in seven segments.
struct Segments {
  /// A bit for each segment: the upper, upper right, lower right, lower, lower left, upper left and middle one.
  private let lit: UInt8

  init(_ character: UInt8) {
    lit =
      switch character {
      case UInt8(ascii: "0"): 0b011_1111
      case UInt8(ascii: "1"): 0b000_0110
      case UInt8(ascii: "2"): 0b101_1011
      case UInt8(ascii: "3"): 0b100_1111
      case UInt8(ascii: "4"): 0b110_0110
      case UInt8(ascii: "5"): 0b110_1101
      case UInt8(ascii: "6"): 0b111_1101
      case UInt8(ascii: "7"): 0b000_0111
      case UInt8(ascii: "8"): 0b111_1111
      case UInt8(ascii: "9"): 0b110_1111
      case UInt8(ascii: "-"): 0b100_0000
      case UInt8(ascii: "a"): 0b111_0111
      case UInt8(ascii: "b"): 0b111_1100
      case UInt8(ascii: "e"): 0b111_1001
      case UInt8(ascii: "i"): 0b001_0000
      case UInt8(ascii: "l"): 0b011_1000
      case UInt8(ascii: "n"): 0b101_0100
      case UInt8(ascii: "u"), UInt8(ascii: "v"): 0b011_1110
      default: 0
      }
  }

  /// The outlines of the segments, in a box of 22 by 34 pixels.
  private static func outline(_ segment: Int) -> StaticString {
    switch segment {
    case 0: "M4.6 2h12.8l-2.7 3.4H7.3z"
    case 1: "M18.4 3v12.6l-1.5 1.1-1.9-1.5V6.3z"
    case 2: "M18.4 31V18.4l-1.5-1.1-1.9 1.5v8.9z"
    case 3: "M4.6 32h12.8l-2.7-3.4H7.3z"
    case 4: "M3.6 31V18.4l1.5-1.1 1.9 1.5v8.9z"
    case 5: "M3.6 3v12.6l1.5 1.1 1.9-1.5V6.3z"
    default: "M7.4 15.4h7.2l2 1.6-2 1.6H7.4l-2-1.6z"
    }
  }

  func write(to output: inout OutputSpan<UInt8>) {
    write(to: &output, #"<path class="o" d=""#) { lit & 1 << $0 == 0 }
    write(to: &output, #"<path class="n" d=""#) { lit & 1 << $0 != 0 }
  }

  private func write(
    to output: inout OutputSpan<UInt8>, _ start: StaticString, _ isIncluded: (UInt8) -> Bool
  ) {
    output.append(start)
    for segment in 0..<UInt8(7) where isIncluded(segment) {
      output.append(Self.outline(Int(segment)))
    }
    output.append(#""/>"#)
  }
}
