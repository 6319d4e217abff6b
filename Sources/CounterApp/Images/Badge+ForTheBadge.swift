import BasicContainers
import System

/// The style for-the-badge: large, in capitals, with wide spaces between them.
extension Badge {
  func writeForTheBadge(to output: inout OutputSpan<UInt8>) {
    let label = Capitals(label)
    let message = Capitals(message)
    let layout = WideLayout(self, label: label, message: message)
    let labelGround = colors.label ?? .label
    writeStart(to: &output, width: layout.width, height: WideLayout.height)
    output.append(#"<g shape-rendering="crispEdges">"#)
    Self.writeGround(
      to: &output, x: Length(0), width: layout.leftWidth, height: WideLayout.height, labelGround)
    Self.writeGround(
      to: &output, x: layout.leftWidth, width: layout.rightWidth, height: WideLayout.height,
      messageGround)
    output.append("</g>")
    writeLogo(to: &output, x: WideLayout.logoMargin, height: WideLayout.height)
    output.append(#"<g transform="scale(.1)" text-anchor="middle" font-family=""#)
    output.append(Self.fonts)
    output.append(#"" text-rendering="geometricPrecision" font-size="100">"#)
    Self.writeText(
      label.text.span, to: &output, "<text", colors.text ?? labelGround.ofText, x: layout.labelX,
      y: 175, width: layout.labelWidth)
    Self.writeText(
      message.text.span, to: &output, #"<text font-weight="bold""#,
      colors.text ?? messageGround.ofText, x: layout.messageX, y: 175, width: layout.messageWidth)
    output.append("</g>")
  }
}

/// A text in capitals.
struct Capitals: ~Copyable {
  private(set) var text = UniqueArray<UInt8>()

  /// How many units of UTF-16 it has, after each of which there is a space.
  private(set) var unitCount = 0

  /// Whether it has letters that are joined.
  private(set) var isJoined = false

  init(_ text: Span<UInt8>) {
    for scalar in String(copying: text).unicodeScalars {
      for capital in scalar.properties.uppercaseMapping.unicodeScalars {
        unitCount += UTF16.width(capital)
        isJoined = isJoined || FontWidths.isJoined(capital)
        for byte in capital.utf8 { self.text.append(byte) }
      }
    }
  }
}

/// Where the parts of a badge in the style for-the-badge stand.
private struct WideLayout {
  let labelWidth: TextWidth
  let messageWidth: TextWidth
  let leftWidth: Length
  let rightWidth: Length
  /// The middles of the texts.
  let labelX: Length
  let messageX: Length

  static var height: Int { 28 }

  /// The space before a logo, and behind it when no label follows.
  static var logoMargin: Int { 9 }

  /// The space at either end of a text, and between it and a logo.
  private static var margin: Int { 12 }
  private static var gutter: Int { 6 }

  /// The space behind each letter.
  private static var spacing: Length { Length(hundredths: 125) }

  var width: Length { leftWidth + rightWidth }

  init(_ badge: borrowing Badge, label: borrowing Capitals, message: borrowing Capitals) {
    labelWidth = Self.width(of: label, in: .verdana10)
    messageWidth = Self.width(of: message, in: .boldVerdana10)
    let hasLabel = !badge.label.isEmpty
    let logoWidth = badge.logoSize
    let hasLogo = logoWidth > 0
    let labelStart = hasLogo ? Self.logoMargin + logoWidth + Self.gutter : Self.margin
    labelX = Length(labelStart) + labelWidth.length / 2
    let messageStart: Length
    if hasLabel {
      leftWidth = labelWidth.length + (labelStart + Self.margin)
      messageStart = leftWidth + Self.margin
    } else if hasLogo, badge.colors.label != nil {
      leftWidth = Length(2 * Self.logoMargin + logoWidth)
      messageStart = leftWidth + Self.margin
    } else {
      leftWidth = Length(0)
      messageStart = Length(Self.margin + (hasLogo ? logoWidth + Self.gutter : 0))
    }
    let isLogoOnMessage = hasLogo && leftWidth == Length(0)
    rightWidth =
      messageWidth.length + (2 * Self.margin + (isLogoOnMessage ? logoWidth + Self.gutter : 0))
    messageX = messageStart + messageWidth.length / 2
  }

  /// The width of a text with its spaces. Letters that are joined have none.
  private static func width(of text: borrowing Capitals, in font: Font) -> TextWidth {
    var width = font.width(of: text.text.span)
    if !width.isEstimated {
      width.length = width.length + text.unitCount * spacing
    } else if !text.isJoined {
      width.spacing = spacing
      width.length = width.length + String(copying: text.text.span).count * spacing
    }
    return width
  }
}
