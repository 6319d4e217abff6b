import BasicContainers
import System

/// The style social: a label like a button, and the message in a bubble beside it. Its colours are fixed.
extension Badge {
  func writeSocial(to output: inout OutputSpan<UInt8>) {
    let label = Self.capitalized(label)
    let labelWidth = Self.evenedWidth(of: label.span, in: .boldHelvetica11)
    let messageWidth = Self.evenedWidth(of: message, in: .boldHelvetica11)
    let logoWidth = logoSize + logoPadding
    let buttonWidth = labelWidth.length.pixels + logoWidth + 10
    let bubbleWidth = messageWidth.length.pixels + 8
    let bubbleX = Length(buttonWidth + 6)

    writeStart(to: &output, width: Length(buttonWidth + 1 + 6 + bubbleWidth), height: 20)
    output.append(
      """
      <linearGradient id="a" x2="0" y2="100%"><stop offset="0" stop-color="#fcfcfc" stop-opacity="0"/>\
      <stop offset="1" stop-opacity=".1"/></linearGradient>\
      <g stroke="#d5d5d5" fill="#fafafa">
      """)
    let middle = Length(hundredths: 50)
    Self.writeBox(
      to: &output, x: middle, width: buttonWidth, ##" stroke="none" fill="#fcfcfc""##)
    Self.writeBox(to: &output, x: bubbleX + middle, width: bubbleWidth, "")
    // The edge of the bubble is open where its tip begins.
    output.append("<rect")
    output.append(#" x=""#, bubbleX)
    output.append(##" y="7.5" width=".5" height="5" stroke="#fafafa"/><path d="M"##)
    output.append(bubbleX + middle)
    output.append(#" 6.5l-3 3v1l3 3"/>"#)
    Self.writeBox(to: &output, x: middle, width: buttonWidth, #" fill="url(#a)""#)
    output.append("</g>")

    writeLogo(to: &output, x: 5, height: 20)
    output.append(
      """
      <g transform="scale(.1)" text-anchor="middle" font-family="Helvetica Neue,Helvetica,Arial,sans-serif" \
      text-rendering="geometricPrecision" font-weight="700" font-size="110">
      """)
    Self.writeRaisedText(
      label.span, to: &output, x: Length(logoWidth + 5) + labelWidth.length / 2,
      width: labelWidth)
    Self.writeRaisedText(
      message, to: &output, x: bubbleX + Length(bubbleWidth) / 2, width: messageWidth)
    output.append("</g>")
  }

  /// Writes a box of the height of the badge, within its edge.
  private static func writeBox(
    to output: inout OutputSpan<UInt8>, x: Length, width: Int, _ attributes: StaticString
  ) {
    output.append("<rect")
    output.append(attributes)
    output.append(#" x=""#, x)
    output.append(#" width=""#, Length(width))
    output.append(#" y=".5" height="19" rx="2"/>"#)
  }

  /// Writes dark text, and white text a pixel lower.
  private static func writeRaisedText(
    _ text: Span<UInt8>, to output: inout OutputSpan<UInt8>, x: Length, width: TextWidth
  ) {
    writeText(
      text, to: &output, #"<text aria-hidden="true""#, Color(0xFFFFFF), x: x, y: 150,
      width: width)
    writeText(text, to: &output, "<text", Color(0x333333), x: x, y: 140, width: width)
  }

  /// A text with a capital at its start.
  private static func capitalized(_ text: Span<UInt8>) -> UniqueArray<UInt8> {
    let end = text.isEmpty ? 0 : 1 + (1..<text.count).prefix { text[$0] & 0xC0 == 0x80 }.count
    var capitalized = UniqueArray<UInt8>()
    capitalized.append(copying: Capitals(text.extracting(0..<end)).text.span)
    capitalized.append(copying: text.extracting(end...))
    return capitalized
  }
}
