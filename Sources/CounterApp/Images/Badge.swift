import BasicContainers
import System

/// A badge: a label, and a message beside it, each on a ground of its own colour; an image in SVG.
///
/// The five styles are laid out by the rules of shields.io, so that badges of both stand beside each other. The
/// numbers are those of https://github.com/badges/shields (badge-maker 6.0, CC0-1.0). Widths of text are computed
/// from `Font`, and `textLength` makes every browser keep to them, whatever font it has. Where a width is only
/// estimated, it would pull the text apart or squeeze it: such a text stands in the middle of its ground, as wide
/// as it comes out.
struct Badge: ~Escapable {
  let style: BadgeStyle
  /// Text in UTF-8 that `LabelText` allows, and so is the message.
  let label: Span<UInt8>
  let message: Span<UInt8>
  /// A URL that `DataImage` allows; empty without a logo.
  let logo: Span<UInt8>
  let colors: Colors
  /// What the title says besides: a sentence, or nothing.
  let remark: StaticString

  struct Colors: Equatable, Sendable, BitwiseCopyable {
    /// The ground of the message.
    var message: Color?
    /// The ground of the label.
    var label: Color?
    /// All text. Otherwise it is dark on a bright ground and white on any other.
    var text: Color?
  }

  @_lifetime(copy label, copy message, copy logo)
  init(
    _ style: BadgeStyle, label: Span<UInt8>, message: Span<UInt8>, logo: Span<UInt8>,
    colors: Colors = Colors(), remark: StaticString = ""
  ) {
    self.style = style
    self.label = label
    self.message = message
    self.logo = logo
    self.colors = colors
    self.remark = remark
  }

  /// Adds the image to a buffer.
  func write(to buffer: inout UniqueArray<UInt8>) {
    buffer.append(addingCount: largestSize) { output in write(to: &output) }
  }

  /// An upper bound of the size of the image, in bytes: all that is constant, and each text four times, in
  /// capitals, which take up to three times the bytes, and escaped.
  private var largestSize: Int { 4096 + 4 * 3 * 6 * (label.count + message.count) + logo.count }

  private func write(to output: inout OutputSpan<UInt8>) {
    switch style {
    case .flat, .flatSquare, .plastic: writePlain(to: &output)
    case .forTheBadge: writeForTheBadge(to: &output)
    case .social: writeSocial(to: &output)
    }
    output.append("</svg>")
  }

  /// The ground of the message.
  var messageGround: Color { colors.message ?? .message }

  /// The width of a logo, in pixels; its height is the same.
  var logoSize: Int { logo.isEmpty ? 0 : 14 }

  /// The space between a logo and a label.
  var logoPadding: Int { logo.isEmpty || label.isEmpty ? 0 : 3 }

  static var fonts: StaticString { "Verdana,Geneva,DejaVu Sans,sans-serif" }

  /// A width of text that lets both its ends stand on whole pixels when it is centered.
  static func evenedWidth(of text: Span<UInt8>, in font: Font) -> TextWidth {
    var width = font.width(of: text)
    width.length = Length(width.length.pixels | 1)
    return width
  }
}

// MARK: - Elements

extension Badge {
  /// Begins the image: its element, and what a screen reader says of it.
  func writeStart(
    to output: inout OutputSpan<UInt8>, width: Length, height: Int
  ) {
    output.append(#"<svg xmlns="http://www.w3.org/2000/svg""#)
    if !logo.isEmpty { output.append(#" xmlns:xlink="http://www.w3.org/1999/xlink""#) }
    output.append(#" width=""#, width)
    output.append(#" height=""#, Length(height))
    output.append(#" role="img" aria-label=""#)
    output.append(label: label, message, remark: remark)
    output.append("\"><title>")
    output.append(label: label, message, remark: remark)
    output.append("</title>")
  }

  /// Writes the logo at its place.
  func writeLogo(to output: inout OutputSpan<UInt8>, x: Int, height: Int) {
    guard !logo.isEmpty else { return }
    output.append("<image")
    output.append(#" x=""#, Length(x))
    output.append(#" y=""#, Length(height - logoSize) / 2)
    output.append(#" width="14" height="14" xlink:href=""#)
    // A valid URL has no character of markup.
    output.append(logo)
    output.append(#""/>"#)
  }

  /// Writes text in a group that is scaled down to a tenth, so that lengths and places are more exact than a
  /// pixel in all browsers.
  ///
  /// - Parameters:
  ///   - start: the element up to its further attributes.
  ///   - x: the middle of the text, in the pixels of the badge.
  ///   - y: its base, in tenths of these pixels.
  ///   - width: how wide it is, in the pixels of the badge.
  static func writeText(
    _ text: Span<UInt8>, to output: inout OutputSpan<UInt8>, _ start: StaticString,
    _ color: Color, x: Length, y: Int, width: TextWidth
  ) {
    guard !text.isEmpty else { return }
    output.append(start)
    output.append(#" fill=""#, color)
    output.append(#" x=""#, 10 * x)
    output.append(#" y=""#, Length(y))
    if !width.isEstimated {
      output.append(#" textLength=""#, 10 * width.length)
    } else if width.spacing.hundredths > 0 {
      output.append(#" letter-spacing=""#, 10 * width.spacing)
    }
    output.append(">")
    output.append(escaping: text)
    output.append("</text>")
  }

  /// Writes a rectangle as high as the badge.
  static func writeGround(
    to output: inout OutputSpan<UInt8>, x: Length, width: Length, height: Int, _ color: Color
  ) {
    guard width.hundredths > 0 else { return }
    output.append("<rect")
    if x.hundredths > 0 { output.append(#" x=""#, x) }
    output.append(#" width=""#, width)
    output.append(#" height=""#, Length(height))
    output.append(#" fill=""#, color)
    output.append("/>")
  }
}

extension OutputSpan<UInt8> {
  /// Adds what a screen reader says of an image: `home: 43`, and perhaps why it has no number.
  mutating func append(label: Span<UInt8>, _ message: Span<UInt8>, remark: StaticString = "") {
    if !label.isEmpty {
      append(escaping: label)
      append(": ")
    }
    append(escaping: message)
    guard remark.utf8CodeUnitCount > 0 else { return }
    append(". ")
    append(escaping: remark.bytes)
  }
}
