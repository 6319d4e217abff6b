import BasicContainers
import System

/// The styles flat, flat-square and plastic. They differ in their ground only.
extension Badge {
  func writePlain(to output: inout OutputSpan<UInt8>) {
    let layout = PlainLayout(self)
    writeStart(to: &output, width: Length(layout.width), height: layout.height)
    switch style {
    case .flat:
      writeClip(
        to: &output, layout, radius: 3,
        gradient: """
          <stop offset="0" stop-color="#bbb" stop-opacity=".1"/>\
          <stop offset="1" stop-opacity=".1"/>
          """)
    case .plastic:
      writeClip(
        to: &output, layout, radius: 4,
        gradient: """
          <stop offset="0" stop-color="#fff" stop-opacity=".7"/>\
          <stop offset=".1" stop-color="#aaa" stop-opacity=".1"/>\
          <stop offset=".9" stop-opacity=".3"/>\
          <stop offset="1" stop-opacity=".5"/>
          """)
    default:
      output.append(#"<g shape-rendering="crispEdges">"#)
    }
    writeGrounds(to: &output, layout)
    output.append("</g>")
    writeLogo(to: &output, x: PlainLayout.padding, height: layout.height)
    writeTexts(to: &output, layout)
  }

  /// Begins the group of the grounds, whose corners are round, and defines the gradient above them.
  private func writeClip(
    to output: inout OutputSpan<UInt8>, _ layout: PlainLayout, radius: Int, gradient: StaticString
  ) {
    output.append(#"<linearGradient id="s" x2="0" y2="100%">"#)
    output.append(gradient)
    output.append(#"</linearGradient><clipPath id="r"><rect"#)
    output.append(#" width=""#, Length(layout.width))
    output.append(#" height=""#, Length(layout.height))
    output.append(#" rx=""#, Length(radius))
    output.append(#"/></clipPath><g clip-path="url(#r)">"#)
  }

  private func writeGrounds(to output: inout OutputSpan<UInt8>, _ layout: PlainLayout) {
    Self.writeGround(
      to: &output, x: Length(0), width: Length(layout.leftWidth), height: layout.height,
      colors.label ?? .label)
    Self.writeGround(
      to: &output, x: Length(layout.leftWidth), width: Length(layout.rightWidth),
      height: layout.height, messageGround)
    guard style != .flatSquare else { return }
    output.append("<rect")
    output.append(#" width=""#, Length(layout.width))
    output.append(#" height=""#, Length(layout.height))
    output.append(#" fill="url(#s)"/>"#)
  }

  private func writeTexts(to output: inout OutputSpan<UInt8>, _ layout: PlainLayout) {
    output.append(#"<g transform="scale(.1)" text-anchor="middle" font-family=""#)
    output.append(Self.fonts)
    output.append(#"" text-rendering="geometricPrecision" font-size="110">"#)
    writeText(
      label, to: &output, layout, x: layout.labelX, width: layout.labelWidth,
      on: colors.label ?? .label)
    writeText(
      message, to: &output, layout, x: layout.messageX, width: layout.messageWidth,
      on: messageGround)
    output.append("</g>")
  }

  /// Writes text, and its shadow a pixel lower.
  private func writeText(
    _ text: Span<UInt8>, to output: inout OutputSpan<UInt8>, _ layout: PlainLayout, x: Length,
    width: TextWidth, on ground: Color
  ) {
    let base = style == .plastic ? 130 : 140
    if style != .flatSquare {
      Self.writeText(
        text, to: &output, #"<text aria-hidden="true" fill-opacity=".3""#, ground.ofShadow, x: x,
        y: base + 10, width: width)
    }
    Self.writeText(
      text, to: &output, "<text", colors.text ?? ground.ofText, x: x, y: base, width: width)
  }
}

/// Where the parts of a badge in the styles flat, flat-square and plastic stand, in pixels.
private struct PlainLayout {
  let height: Int
  let labelWidth: TextWidth
  let messageWidth: TextWidth
  let leftWidth: Int
  let rightWidth: Int
  /// The middles of the texts.
  let labelX: Length
  let messageX: Length

  /// The space at either end of a text.
  static var padding: Int { 5 }

  var width: Int { leftWidth + rightWidth }

  init(_ badge: borrowing Badge) {
    height = badge.style == .plastic ? 18 : 20
    let logoWidth = badge.logoSize + badge.logoPadding
    let hasLogo = !badge.logo.isEmpty
    labelWidth =
      badge.label.isEmpty
      ? TextWidth(length: Length(0)) : Badge.evenedWidth(of: badge.label, in: .verdana11)
    messageWidth = Badge.evenedWidth(of: badge.message, in: .verdana11)
    // A colour of its own gives a badge a left side even without a label.
    let hasLeftSide = !badge.label.isEmpty || badge.colors.label != nil
    leftWidth = hasLeftSide ? labelWidth.length.pixels + 2 * Self.padding + logoWidth : 0
    rightWidth =
      messageWidth.length.pixels + 2 * Self.padding
      + (hasLogo && !hasLeftSide ? logoWidth + Self.padding - 1 : 0)
    labelX = Length(logoWidth + 1 + Self.padding) + labelWidth.length / 2
    // Beside a label the message stands a pixel further left than in the middle of its side.
    let messageStart =
      hasLeftSide ? leftWidth - 1 : hasLogo ? logoWidth + Self.padding - 1 : 0
    messageX = Length(messageStart + Self.padding) + messageWidth.length / 2
  }
}
