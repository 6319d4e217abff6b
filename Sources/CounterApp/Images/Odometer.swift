import BasicContainers
import System

/// A number as a row of large digits; an image in SVG. The digits are paths, so that they look alike everywhere.
struct Odometer: ~Escapable {
  let theme: Theme
  let scheme: Scheme
  /// What a screen reader says before the number; text in UTF-8 that `LabelText` allows.
  let label: Span<UInt8>
  /// Digits, a minus sign before them, or the word `unavailable`.
  let message: Span<UInt8>
  /// What the title says besides: a sentence, or nothing.
  let remark: StaticString

  /// The look of the digits.
  enum Theme: String, CaseIterable, Sendable {
    /// The drums of an old car.
    case odometer
    /// The leaves of a station clock.
    case flip
    /// Seven segments.
    case led
    /// Digits alone.
    case plain
  }

  /// The ground that the digits stand on.
  enum Scheme: String, CaseIterable, Sendable {
    /// The one that the reader's system prefers.
    case auto
    case light
    case dark
  }

  @_lifetime(copy label, copy message)
  init(
    _ theme: Theme, _ scheme: Scheme, label: Span<UInt8>, message: Span<UInt8>,
    remark: StaticString = ""
  ) {
    self.theme = theme
    self.scheme = scheme
    self.label = label
    self.message = message
    self.remark = remark
  }

  /// The most digits that a number can be filled up to.
  static var mostDigits: Int { 20 }

  /// Writes a number with zeros before it until it has so many digits.
  static func write(_ number: Int64, minimum: Int, to buffer: inout UniqueArray<UInt8>) {
    if number < 0 { buffer.append("-") }
    let digitCount = Decimal.width(of: number) - (number < 0 ? 1 : 0)
    for _ in digitCount..<max(minimum, digitCount) { buffer.append("0") }
    let start = buffer.count
    buffer.append(decimal: number)
    if number < 0 { buffer.remove(at: start) }
  }

  /// Adds the image to a buffer.
  func write(to buffer: inout UniqueArray<UInt8>) {
    buffer.append(addingCount: largestSize) { output in write(to: &output) }
  }

  /// An upper bound of the size of the image, in bytes: all that is constant, the label twice and escaped, and
  /// a cell for each character.
  private var largestSize: Int { 4096 + 2 * 6 * label.count + 1024 * message.count }

  private func write(to output: inout OutputSpan<UInt8>) {
    let cell = theme.cell
    let width = message.count * cell.width + 2 * cell.margin
    let height = cell.height + 2 * cell.margin
    output.append(#"<svg xmlns="http://www.w3.org/2000/svg""#)
    output.append(#" width=""#, Length(width))
    output.append(#" height=""#, Length(height))
    output.append(#" viewBox="0 0 "#)
    output.append(Length(width))
    output.append(" ")
    output.append(Length(height))
    output.append(#"" role="img" aria-label=""#)
    output.append(label: label, message, remark: remark)
    output.append("\"><title>")
    output.append(label: label, message, remark: remark)
    output.append("</title><style>")
    writeStyle(to: &output)
    output.append("</style>")
    output.append(theme.definitions)
    if theme != .plain {
      output.append(#"<rect class="f""#)
      output.append(#" width=""#, Length(width))
      output.append(#" height=""#, Length(height))
      output.append(#" rx=""#, Length(cell.margin + 1))
      output.append("/>")
    }
    for index in 0..<message.count {
      output.append(#"<g transform="translate("#)
      output.append(Length(cell.margin + index * cell.width))
      output.append(" ")
      output.append(Length(cell.margin))
      // The last drum of an odometer has other colours.
      let isOther = theme == .odometer && index == message.count - 1
      output.append(isOther ? #")" class="l">"# : #")">"#)
      output.append(theme.ground)
      if theme == .led {
        Segments(message[index]).write(to: &output)
      } else {
        output.append(theme.strokeStart)
        output.append(Self.stroke(of: message[index]))
        output.append(#""/>"#)
      }
      output.append(theme.foreground)
      output.append("</g>")
    }
    output.append("</svg>")
  }

  private func writeStyle(to output: inout OutputSpan<UInt8>) {
    output.append(theme.rules)
    switch scheme {
    case .light: output.append(theme.lightRules)
    case .dark: output.append(theme.darkRules)
    case .auto:
      output.append(theme.lightRules)
      output.append("@media(prefers-color-scheme:dark){")
      output.append(theme.darkRules)
      output.append("}")
    }
  }
}
