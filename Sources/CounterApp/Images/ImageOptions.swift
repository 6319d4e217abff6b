import BasicContainers
import System

/// An image of a counter.
enum ImageKind: Sendable {
  case badge
  /// What shields.io makes a badge of (https://shields.io/badges/endpoint-badge).
  case badgeJSON
  /// A badge with the parameters of Abacus, too.
  case shield
  case digits
  case pixel
}

/// A rule for the parameters of an image that a request breaks.
enum ImageError: Error, Equatable, CaseIterable {
  case label
  case color
  case logo
  case style
  case abbreviated
  case base
  case theme
  case scheme
  case minimum

  /// The rule.
  var rule: StaticString {
    switch self {
    case .label:
      "A label has at most 64 characters, and none that controls text, changes its direction or is invisible."
    case .color:
      "A color is one of shields.io or CSS by its name, or three or six hexadecimal digits."
    case .logo:
      "A logo is data:image/TYPE;base64,DATA of at most 8192 bytes, TYPE one of svg+xml, png, jpeg, gif, webp."
    case .style: "A style is flat, flat-square, plastic, for-the-badge or social."
    case .abbreviated: "abbreviated is true or false."
    case .base: "base is an integer of 64 bits."
    case .theme: "A theme is odometer, flip, led or plain."
    case .scheme: "A scheme is auto, light or dark."
    case .minimum: "min is a number from 1 to 20."
    }
  }
}

/// How an image is to look.
struct ImageOptions: ~Copyable {
  /// The label, and behind it the logo. They are in one buffer, since most images have no logo.
  private var texts = UniqueArray<UInt8>()
  private var labelCount = 0
  private(set) var hasLabel = false
  private(set) var style = BadgeStyle.flat
  private(set) var colors = Badge.Colors()
  private(set) var isAbbreviated = false
  private(set) var theme = Odometer.Theme.odometer
  private(set) var scheme = Odometer.Scheme.auto
  private(set) var minimumDigits: UInt8 = 1
  private var base: Int64 = 0

  /// Text in UTF-8 that can stand in an image.
  var label: Span<UInt8> {
    @_lifetime(borrow self)
    get { texts.span.extracting(0..<labelCount) }
  }

  /// A URL with an image; empty without a logo.
  var logo: Span<UInt8> {
    @_lifetime(borrow self)
    get { texts.span.extracting(labelCount...) }
  }

  /// How much memory the texts take, in bytes.
  var size: Int { texts.capacity }

  /// The number to be shown for the one of a counter. It stays within 64 bits.
  func displayed(_ number: Int64) -> Int64 {
    let (sum, isTooLarge) = number.addingReportingOverflow(base)
    return isTooLarge ? (base < 0 ? .min : .max) : sum
  }
}

// MARK: - Parameters

extension ImageOptions {
  /// A parameter. Different names of one parameter exclude each other.
  enum Parameter: UInt32 {
    case label
    case color
    case labelColor
    case textColor
    case logo
    case style
    case abbreviated
    case base
    case theme
    case scheme
    case minimum

    /// - Returns: nil for a name that an image of this kind does not know.
    init?(_ name: String, of kind: ImageKind) {
      switch (name, kind) {
      case ("label", .badge), ("label", .badgeJSON), ("label", .shield), ("label", .digits),
        ("text", .shield):
        self = .label
      case ("base", .badge), ("base", .badgeJSON), ("base", .shield), ("base", .digits):
        self = .base
      case ("theme", .digits): self = .theme
      case ("scheme", .digits): self = .scheme
      case ("min", .digits): self = .minimum
      case (_, .digits), (_, .pixel): return nil
      case ("color", _), ("bgcolor", .shield): self = .color
      case ("labelColor", _): self = .labelColor
      case ("textcolor", .shield): self = .textColor
      case ("logo", _): self = .logo
      case ("style", _): self = .style
      case ("abbreviated", _): self = .abbreviated
      default: return nil
      }
    }
  }

  /// Sets what a parameter says.
  ///
  /// - Parameter value: without percent-encoding.
  mutating func set(
    _ parameter: Parameter, _ value: Span<UInt8>, of kind: ImageKind
  ) throws(ImageError) {
    switch parameter {
    case .label: try setLabel(value)
    case .color: colors.message = try Self.color(value)
    case .labelColor: colors.label = try Self.color(value)
    case .textColor: colors.text = try Self.color(value)
    case .logo: try setLogo(value)
    case .style: try setStyle(value, of: kind)
    case .abbreviated:
      guard let choice = Bool(String(copying: value)) else { throw .abbreviated }
      isAbbreviated = choice
    case .base: base = try Self.integer(value, orElse: .base)
    case .theme:
      guard let theme = Odometer.Theme(rawValue: String(copying: value)) else { throw .theme }
      self.theme = theme
    case .scheme:
      guard let scheme = Odometer.Scheme(rawValue: String(copying: value)) else { throw .scheme }
      self.scheme = scheme
    case .minimum:
      let minimum = try Self.integer(value, orElse: .minimum)
      guard (1...Int64(Odometer.mostDigits)).contains(minimum) else { throw .minimum }
      minimumDigits = UInt8(minimum)
    }
  }

  /// Makes a key the label, unless there is one. It may be longer than other labels.
  mutating func setDefaultLabel(_ key: Span<UInt8>) throws(ImageError) {
    guard !hasLabel else { return }
    guard LabelText.isAllowed(key) else { throw .label }
    insertLabel(key)
  }

  private mutating func setLabel(_ value: Span<UInt8>) throws(ImageError) {
    let label = LabelText.trimmed(value)
    guard LabelText.isAllowed(label), LabelText.characterCount(label) <= LabelText.longest else {
      throw .label
    }
    // It may be that a style without a label came first.
    if !hasLabel { insertLabel(label) }
  }

  private mutating func insertLabel(_ label: Span<UInt8>) {
    hasLabel = true
    texts.insert(copying: label, at: 0)
    labelCount = label.count
  }

  private mutating func setLogo(_ value: Span<UInt8>) throws(ImageError) {
    var url = UniqueArray<UInt8>()
    // A plus sign that is not percent-encoded has become a space.
    for index in 0..<min(value.count, DataImage.longest + 1) {
      url.append(value[index] == UInt8(ascii: " ") ? UInt8(ascii: "+") : value[index])
    }
    guard DataImage.isValid(url.span) else { throw .logo }
    texts.append(copying: url.span)
  }

  /// Abacus has styles without a label.
  private mutating func setStyle(_ value: Span<UInt8>, of kind: ImageKind) throws(ImageError) {
    var name = String(copying: value)
    let simple = "-simple"
    let isSimple = kind == .shield && name.hasSuffix(simple)
    if isSimple { name.removeLast(simple.count) }
    guard let style = BadgeStyle(rawValue: name),
      !isSimple || [.flat, .flatSquare, .plastic].contains(style)
    else { throw .style }
    self.style = style
    guard isSimple else { return }
    texts.removeSubrange(0..<labelCount)
    labelCount = 0
    hasLabel = true
  }

  private static func color(_ value: Span<UInt8>) throws(ImageError) -> Color {
    guard value.count <= 32, let color = Color(String(copying: value)) else { throw .color }
    return color
  }

  private static func integer(
    _ value: Span<UInt8>, orElse error: ImageError
  ) throws(ImageError) -> Int64 {
    let text = String(copying: value)
    guard value.count <= Decimal.longest, !text.hasPrefix("+"), let number = Int64(text) else {
      throw error
    }
    return number
  }
}
