import BasicContainers
import System

/// An image in a URL: `data:image/png;base64,…` (RFC 2397), as the logo of a badge.
enum DataImage {
  /// The longest URL, in bytes.
  static var longest: Int { 8192 }

  /// Whether a URL is an image: its type is one that browsers show, its data are base64 (RFC 4648 section 4),
  /// and begin as files of that type do.
  static func isValid(_ url: Span<UInt8>) -> Bool {
    guard url.count <= longest,
      let type = Kind.allCases.first(where: { url.starts(with: $0.start) })
    else { return false }
    let data = url.extracting(type.start.utf8CodeUnitCount...)
    return isBase64(data) && type.isBeginning(decoded(data, prefix: 64).span)
  }

  /// The file that a valid URL holds, if it is an SVG; otherwise nothing.
  static func svg(_ url: Span<UInt8>) -> UniqueArray<UInt8> {
    guard url.starts(with: Kind.svg.start) else { return UniqueArray() }
    return decoded(url.extracting(Kind.svg.start.utf8CodeUnitCount...), prefix: url.count)
  }

  private enum Kind: CaseIterable {
    case svg
    case png
    case jpeg
    case gif
    case webp

    var start: StaticString {
      switch self {
      case .svg: "data:image/svg+xml;base64,"
      case .png: "data:image/png;base64,"
      case .jpeg: "data:image/jpeg;base64,"
      case .gif: "data:image/gif;base64,"
      case .webp: "data:image/webp;base64,"
      }
    }

    /// Whether a file of this type can begin so (https://mimesniff.spec.whatwg.org/#image-type-pattern-matching-algorithm).
    func isBeginning(_ bytes: Span<UInt8>) -> Bool {
      switch self {
      case .svg:
        // A text that begins with markup; a byte order mark and white space may precede it.
        let start = bytes.starts(with: "\u{FEFF}") ? 3 : 0
        let first = (start..<bytes.count).first { ![0x09, 0x0A, 0x0D, 0x20].contains(bytes[$0]) }
        return first.map { bytes[$0] == UInt8(ascii: "<") } ?? false
      case .png: return Self.matches(bytes, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
      case .jpeg: return Self.matches(bytes, [0xFF, 0xD8, 0xFF])
      case .gif: return bytes.starts(with: "GIF87a") || bytes.starts(with: "GIF89a")
      case .webp:
        return bytes.starts(with: "RIFF") && bytes.count >= 12
          && bytes.extracting(8...).starts(with: "WEBP")
      }
    }

    private static func matches(_ bytes: Span<UInt8>, _ start: [UInt8]) -> Bool {
      bytes.count >= start.count && start.indices.allSatisfy { bytes[$0] == start[$0] }
    }
  }

  private static func isBase64(_ text: Span<UInt8>) -> Bool {
    guard text.count >= 4, text.count % 4 == 0 else { return false }
    var end = text.count
    while end > text.count - 2, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
    for index in 0..<end where value(of: text[index]) == nil { return false }
    return true
  }

  /// The bytes that valid base64 stands for, or those of its first digits.
  private static func decoded(_ text: Span<UInt8>, prefix: Int) -> UniqueArray<UInt8> {
    var bytes = UniqueArray<UInt8>()
    var bits: UInt32 = 0
    for index in 0..<min(text.count, prefix) {
      guard let value = value(of: text[index]) else { break }
      bits = bits << 6 | UInt32(value)
      if index % 4 != 0 {
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(6 - index % 4 * 2)))
      }
    }
    return bytes
  }

  /// The six bits of a digit of base64.
  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
