/// The widths of characters, in 2048ths of the size of the font.
///
/// The tables hold what is known: letters of Latin, Greek and Cyrillic, and signs. Known as well are characters of
/// China and Japan, which are as wide as the font is high. Other scripts come from whatever font a system has for
/// them, so that their widths are estimated.
enum FontWidths {
  enum Width: Equatable, Sendable {
    case known(UInt16)
    case estimated(UInt16)
  }

  static var em: Int { 2048 }

  /// The width of an emoji, that of Noto Color Emoji.
  static var emoji: Width { .estimated(2550) }

  /// The width of a character. One that joins the character before it has none.
  static func width(of scalar: Unicode.Scalar, in widths: [UInt16]) -> Width {
    if let width = tableWidth(of: scalar, in: widths) { return .known(width) }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return .known(0)
    default: break
    }
    if fullWidths.contains(where: { $0.contains(scalar.value) }) { return .known(UInt16(em)) }
    let script = scripts.first { $0.block.contains(scalar.value) }
    return .estimated(UInt16((script?.percent ?? 100) * em / 100))
  }

  private static func tableWidth(of scalar: Unicode.Scalar, in widths: [UInt16]) -> UInt16? {
    var start = 0
    for block in blocks {
      if block.contains(scalar.value) {
        let width = widths[start + Int(scalar.value - block.lowerBound)]
        return width > 0 ? width : nil
      }
      start += block.count
    }
    return nil
  }

  /// An estimated width in bold: the bold fonts of Noto are 4 to 12 percent wider.
  static func emboldened(_ width: UInt16) -> UInt16 { width / 10 * 11 }

  /// Characters as wide as the font is high: those of China and Japan, and forms as wide as these.
  private static let fullWidths: [ClosedRange<UInt32>] = [
    0x2E80...0x3130, 0x3190...0x9FFF, 0xF900...0xFAFF, 0xFE30...0xFE4F, 0xFF01...0xFF60,
    0xFFE0...0xFFE6, 0x20000...0x3FFFF,
  ]

  /// The width of a letter of a script in running text, in percent of the size of the font.
  ///
  /// They are the widths of words and sentences in Noto Sans (Debian's fonts-noto-core and fonts-noto-cjk), or in
  /// DejaVu Sans where that is wider, divided by the number of letters and rounded up: letters that are joined or
  /// stacked are narrower together. A character that is not here has 100.
  private static let scripts: [(block: ClosedRange<UInt32>, percent: Int)] = [
    (0x530...0x58F, 65),  // Armenian
    (0x590...0x5FF, 58),  // Hebrew
    (0x600...0x6FF, 50),  // Arabic
    (0x700...0x74F, 70),  // Syriac
    (0x750...0x77F, 50),  // Arabic
    (0x780...0x7FF, 60),  // Thaana, N'Ko
    (0x860...0x8FF, 50),  // Syriac and Arabic
    (0x900...0xB7F, 55),  // Devanagari, Bengali, Gurmukhi, Gujarati, Oriya
    (0xB80...0xBFF, 95),  // Tamil
    (0xC00...0xCFF, 70),  // Telugu, Kannada
    (0xD00...0xDFF, 90),  // Malayalam, Sinhala
    (0xE00...0xEFF, 60),  // Thai, Lao
    (0x1000...0x109F, 85),  // Myanmar
    (0x10A0...0x10FF, 65),  // Georgian
    (0x1100...0x115F, 95),  // consonants of Korean syllables
    (0x1160...0x11FF, 0),  // vowels and ends of Korean syllables, drawn into the first consonant
    (0x1200...0x139F, 70),  // Ethiopic
    (0x13A0...0x13FF, 85),  // Cherokee
    (0x1400...0x167F, 80),  // Canadian syllables
    (0x1780...0x17FF, 65),  // Khmer
    (0x1800...0x18AF, 60),  // Mongolian
    (0x3131...0x318E, 95),  // Korean
    (0xAC00...0xD7FF, 95),
    (0xFB00...0xFB4F, 65),  // ligatures, Hebrew
    (0xFB50...0xFDFF, 75),  // forms of Arabic
    (0xFE70...0xFEFF, 75),
    (0xFF61...0xFFDC, 50),  // half-width forms of Japanese and Korean
    (0xFFE8...0xFFEE, 50),
  ]

  /// Whether letters of a script may be joined to each other, so that spaces would tear them apart: from Arabic to
  /// the scripts of India and Mongolian, and forms of Arabic.
  static func isJoined(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x600...0x18AF, 0xFB50...0xFDFF, 0xFE70...0xFEFE: true
    default: false
    }
  }
}
