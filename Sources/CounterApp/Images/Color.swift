/// A colour of a badge: red, green and blue.
struct Color: Equatable, Sendable, BitwiseCopyable {
  /// Eight bits each: `0xRRGGBB`.
  let rgb: UInt32

  init(_ rgb: UInt32) { self.rgb = rgb }

  /// The colours of a badge that names none, and of one that has no number.
  static var message: Color { Color(0x44CC11) }
  static var label: Color { Color(0x555555) }
  static var error: Color { Color(0x9F9F9F) }

  /// Reads three or six hexadecimal digits, with `#` or without, or a name of shields.io or CSS.
  ///
  /// - Returns: nil when the text is none of them.
  init?(_ text: String) {
    guard let rgb = Self.hexadecimal(text) ?? Self.names[text.lowercased()] else {
      return nil
    }
    self.init(rgb)
  }

  private static func hexadecimal(_ text: String) -> UInt32? {
    let digits = text.utf8.first == UInt8(ascii: "#") ? text.utf8.dropFirst() : text.utf8[...]
    guard digits.count == 3 || digits.count == 6 else { return nil }
    var rgb: UInt32 = 0
    for digit in digits {
      guard let value = Character(Unicode.Scalar(digit)).hexDigitValue else { return nil }
      rgb = rgb << 4 | UInt32(value)
      // Each of three digits stands for two.
      if digits.count == 3 { rgb = rgb << 4 | UInt32(value) }
    }
    return rgb
  }

  /// How bright the colour looks, in hundredths, by the weights of
  /// https://www.w3.org/TR/AERT/#color-contrast.
  private var brightness: UInt32 {
    let (red, green, blue) = (rgb >> 16, rgb >> 8 & 255, rgb & 255)
    return ((red * 299 + green * 587 + blue * 114) * 100 + 127_500) / 255_000
  }

  /// Whether dark text is easier to read on it than white text. The threshold is that of shields.io.
  private var isBright: Bool { brightness > 69 }

  /// The colour of text on this ground.
  var ofText: Color { Color(isBright ? 0x333333 : 0xFFFFFF) }

  /// The colour of the shadow of text on this ground.
  var ofShadow: Color { Color(isBright ? 0xCCCCCC : 0x010101) }
}
