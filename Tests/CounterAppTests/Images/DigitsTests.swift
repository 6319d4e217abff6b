import BasicContainers
import System
import Testing

@testable import CounterApp

@Suite("The digits of a counter")
struct DigitsTests {
  private func text(_ number: Int64, minimum: Int) -> String {
    var buffer = UniqueArray<UInt8>()
    Odometer.write(number, minimum: minimum, to: &buffer)
    return String(copying: buffer.span)
  }

  @Test("are filled up with zeros, behind the sign of a negative number")
  func minimum() {
    #expect(text(43, minimum: 1) == "43")
    #expect(text(43, minimum: 6) == "000043")
    #expect(text(0, minimum: 1) == "0")
    #expect(text(-43, minimum: 4) == "-0043")
    #expect(text(-43, minimum: 1) == "-43")
    #expect(text(.min, minimum: 20) == "-09223372036854775808")
    #expect(text(.max, minimum: 1) == "9223372036854775807")
  }

  @Test("are paths of a cell each, in every theme, and say their number to a screen reader")
  func drawing() {
    for theme in Odometer.Theme.allCases {
      for message in ["0123456789", "-7", "unavailable"] {
        let image = ParsedImage(Drawing.digits(theme, label: "a<b", message: message))
        #expect(image.isWellFormed)
        #expect(image["role"] == "img")
        #expect(image["aria-label"] == "a<b: \(message)")
        #expect(image.title == "a<b: \(message)")
        #expect(image.all("g").count == message.count)
        #expect(image["viewBox"] == "0 0 \(image["width"]!) \(image["height"]!)")
        #expect(Int(image["width"]!) == message.count * theme.cell.width + 2 * theme.cell.margin)
        #expect(image.all("text").isEmpty && image.all("script").isEmpty)
        let shapes = image.all("path").map { $0.attributes["d"] ?? "" }
        #expect(shapes.count >= message.count)
      }
    }
    // Each character has a shape of its own.
    let strokes = "0123456789-unavilbe".utf8.map { "\(Odometer.stroke(of: $0))" }
    #expect(!strokes.contains("") && Set(strokes).count == Set("0123456789-unavilbe").count)
  }

  @Test("have the colours of one ground, or those of both and a question to the reader's system")
  func schemes() {
    let query = "@media(prefers-color-scheme:dark)"
    for theme in Odometer.Theme.allCases {
      let drawn = Odometer.Scheme.allCases.map { scheme in
        ParsedImage(Drawing.digits(theme, scheme, message: "1")).all("style")[0].text
      }
      #expect(drawn[0].contains(query) && !drawn[1].contains(query) && !drawn[2].contains(query))
      #expect(drawn[1] != drawn[2])
    }
  }

  @Test("are a transparent pixel where nothing is to be seen")
  func pixel() {
    #expect(Pixel.bytes.count == 43)
    #expect(Array(Pixel.bytes.prefix(6)) == Array("GIF89a".utf8))
    #expect(Pixel.bytes.last == 0x3B)
  }
}

@Suite("A short number")
struct ShortNumberTests {
  /// As `metric` of shields.io has them.
  @Test(
    "is what shields.io makes of it",
    arguments: [
      (0, "0"), (999, "999"), (1000, "1k"), (1049, "1k"), (1100, "1.1k"), (1234, "1.2k"),
      (1999, "2k"), (9949, "9.9k"), (9999, "10k"), (10_499, "10k"), (34_567, "35k"),
      (999_499, "999k"), (999_999, "1M"), (1_000_000, "1M"), (3_400_000, "3.4M"),
      (123_456_789, "123M"), (1_999_999_999, "2G"), (7_200_000_000_000, "7.2T"),
      (1_000_000_000_000_000, "1P"), (999_999_999_999_999_999, "1E"), (Int64.max, "9.2E"),
      (Int64.min, "-9.2E"), (-1, "-1"), (-1234, "-1.2k"), (-999_999, "-1M"),
    ] as [(Int64, String)])
  func metric(_ number: Int64, _ expected: String) {
    var buffer = UniqueArray<UInt8>()
    ShortNumber(number).write(to: &buffer)
    let text = String(copying: buffer.span)
    #expect(text == expected)
  }
}
