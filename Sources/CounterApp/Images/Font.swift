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

  /// The width of a text in UTF-8: the sum of the widths of its characters, without kerning.
  ///
  /// - Returns: whole pixels, rounded down.
  func width(of text: Span<UInt8>) -> Int {
    let widths = widths
    var hundredths = 0
    var isASCII = true
    for index in 0..<text.count {
      let byte = text[index]
      isASCII = isASCII && byte < 0x80
      if byte >= 0x20, byte < 0x80 { hundredths += rounded(widths[Int(byte) - 0x20]) }
    }
    if !isASCII { hundredths += widthBeyondASCII(of: text) }
    return hundredths / 100
  }

  /// The width of all characters that are not ASCII.
  private func widthBeyondASCII(of text: Span<UInt8>) -> Int {
    guard let text = try? UTF8Span(validating: text) else { return 0 }
    var scalars = text.makeUnicodeScalarIterator()
    var hundredths = 0
    while let scalar = scalars.next() {
      guard !scalar.isASCII else { continue }
      hundredths += rounded(FontWidths.width(of: scalar, in: widths))
    }
    return hundredths
  }

  /// A width in hundredths of a pixel. Those of shields.io are rounded so before they are added.
  private func rounded(_ width: UInt16) -> Int {
    (Int(width) * size * 100 + FontWidths.em / 2) / FontWidths.em
  }
}

/// The widths of characters, in 2048ths of the size of the font.
enum FontWidths {
  static var em: Int { 2048 }

  /// The width of a character in a table.
  ///
  /// A character that is in no table is as wide as the font is high, as those of China, Japan and Korea are; one
  /// that joins the character before it has no width.
  static func width(of scalar: Unicode.Scalar, in widths: [UInt16]) -> UInt16 {
    var start = 0
    for block in blocks {
      if block.contains(scalar.value) {
        return widths[start + Int(scalar.value - block.lowerBound)]
      }
      start += block.count
    }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: return UInt16(em)
    }
  }
}
