import BasicContainers
import HTTP
import System

/// The bytes of an image, for one response after another.
struct ImageText: ~Copyable {
  private var bytes = UniqueArray<UInt8>()

  /// Draws the number of a counter.
  mutating func draw(_ image: borrowing PendingImage, _ number: Int64) {
    let shown = image.options.displayed(number)
    var message = UniqueArray<UInt8>(minimumCapacity: 24)
    if image.kind == .digits {
      Odometer.write(shown, minimum: Int(image.options.minimumDigits), to: &message)
    } else if image.options.isAbbreviated {
      ShortNumber(shown).write(to: &message)
    } else {
      message.append(decimal: shown)
    }
    draw(image, message.span, remark: "")
  }

  /// Draws why there is no number.
  mutating func draw(_ image: borrowing PendingImage, _ problem: Problem) {
    let message: StaticString = "unavailable"
    draw(image, message.bytes, remark: problem.detail)
  }

  /// - Parameter remark: why the message is no number; empty when it is one.
  private mutating func draw(
    _ image: borrowing PendingImage, _ message: Span<UInt8>, remark: StaticString
  ) {
    bytes.removeAll(keepingCapacity: true)
    switch image.kind {
    case .badge, .shield, .badgeJSON:
      var colors = image.options.colors
      if remark.utf8CodeUnitCount > 0 { colors.message = .error }
      let badge = Badge(
        image.options.style, label: image.options.label, message: message,
        logo: image.options.logo, colors: colors, remark: remark)
      if image.kind == .badgeJSON {
        badge.writeJSON(to: &bytes)
      } else {
        badge.write(to: &bytes)
      }
    case .digits:
      Odometer(
        image.options.theme, image.options.scheme, label: image.options.label, message: message,
        remark: remark
      ).write(to: &bytes)
    case .pixel: bytes.append(copying: Pixel.bytes)
    }
  }

  /// Responds with what was drawn.
  ///
  /// - Returns: whether the client is still there.
  func respond(
    _ image: borrowing PendingImage, _ answers: inout ImageAnswers, _ server: inout Server
  ) -> Bool {
    switch image.kind {
    case .badge, .shield, .digits:
      server.respond(image.exchange, &answers.svg, bytes.span)
    case .badgeJSON: server.respond(image.exchange, &answers.json, bytes.span)
    case .pixel: server.respond(image.exchange, &answers.gif, bytes.span)
    }
  }
}
