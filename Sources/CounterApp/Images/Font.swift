/// A font of a badge, whose text is measured with the widths of `FontWidths`.
enum Font: Sendable {
  case verdana11
  case verdana10
  case boldVerdana10
  case boldHelvetica11

  /// In pixels.
  private var size: Int {
    switch self {
    case .verdana11, .boldHelvetica11: 11
    case .verdana10, .boldVerdana10: 10
    }
  }

  private var widths: [UInt16] {
    switch self {
    case .verdana11, .verdana10: FontWidths.verdana
    case .boldVerdana10: FontWidths.boldVerdana
    case .boldHelvetica11: FontWidths.boldHelvetica
    }
  }

  private var isBold: Bool { self == .boldVerdana10 || self == .boldHelvetica11 }

  /// The width of a text in UTF-8: the sum of the widths of its characters, without kerning.
  ///
  /// - Returns: whole pixels, rounded down.
  func width(of text: Span<UInt8>) -> TextWidth {
    let widths = widths
    var hundredths = 0
    for index in 0..<text.count {
      let byte = text[index]
      guard byte < 0x80 else { return widthBeyondASCII(of: text) }
      if byte >= 0x20 { hundredths += rounded(widths[Int(byte) - 0x20]) }
    }
    return TextWidth(length: Length(hundredths / 100))
  }

  private func widthBeyondASCII(of text: Span<UInt8>) -> TextWidth {
    guard let text = try? UTF8Span(validating: text) else { return TextWidth(length: Length(0)) }
    var characters = text.makeCharacterIterator()
    var hundredths = 0
    var isEstimated = false
    func add(_ width: FontWidths.Width) {
      switch width {
      case .known(let width): hundredths += rounded(width)
      case .estimated(let width):
        hundredths += rounded(isBold ? FontWidths.emboldened(width) : width)
        isEstimated = true
      }
    }
    while let character = characters.next() {
      if character.isEmoji {
        add(FontWidths.emoji)
      } else {
        for scalar in character.unicodeScalars { add(FontWidths.width(of: scalar, in: widths)) }
      }
    }
    return TextWidth(length: Length(hundredths / 100), isEstimated: isEstimated)
  }

  /// A width in hundredths of a pixel. Those of shields.io are rounded so before they are added.
  private func rounded(_ width: UInt16) -> Int {
    (Int(width) * size * 100 + FontWidths.em / 2) / FontWidths.em
  }
}

/// How wide a text is drawn.
struct TextWidth: Equatable, Sendable, BitwiseCopyable {
  var length: Length

  /// Whether it has a character that is not equally wide in all fonts. Such a text is drawn as wide as it comes
  /// out; any other is brought to its length.
  var isEstimated = false

  /// The space behind each character of a text whose width is estimated. It is part of the length.
  var spacing = Length(0)
}

extension Character {
  /// Whether it is drawn as a single emoji, such as a flag of two letters or a family of four. A sign that is
  /// text by itself, such as ☀, is an emoji with U+FE0F behind it
  /// (https://www.unicode.org/reports/tr51/#Emoji_Presentation).
  fileprivate var isEmoji: Bool {
    unicodeScalars.first?.properties.isEmojiPresentation == true
      || unicodeScalars.contains("\u{FE0F}")
  }
}
