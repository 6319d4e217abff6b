import BasicContainers
import System

/// A badge as what shields.io makes one of (https://shields.io/badges/endpoint-badge).
///
/// `cacheSeconds` is left out: it is 300 at least, and without it shields.io asks again as soon as it may.
extension Badge {
  func writeJSON(to buffer: inout UniqueArray<UInt8>) {
    buffer.append(#"{"schemaVersion":1,"label":"#)
    buffer.append(quoting: label)
    buffer.append(#","message":"#)
    buffer.append(quoting: message)
    buffer.append(#","color":""#)
    buffer.append(addingCount: 7) { $0.append(messageGround) }
    if let label = colors.label {
      buffer.append(#"","labelColor":""#)
      buffer.append(addingCount: 7) { $0.append(label) }
    }
    buffer.append(#"","style":""#)
    buffer.append(copying: Array(style.rawValue.utf8))
    buffer.append("\"")
    if !logo.isEmpty { writeLogoJSON(to: &buffer) }
    if remark.utf8CodeUnitCount > 0 { buffer.append(#","isError":true"#) }
    buffer.append("}")
  }

  /// shields.io takes a logo as the text of an SVG only.
  private func writeLogoJSON(to buffer: inout UniqueArray<UInt8>) {
    let svg = DataImage.svg(logo)
    guard !svg.isEmpty, (try? UTF8Span(validating: svg.span)) != nil else { return }
    buffer.append(#","logoSvg":"#)
    buffer.append(quoting: svg.span)
  }
}

extension UniqueArray<UInt8> {
  /// Adds text in UTF-8 as a string of JSON (RFC 8259 section 7).
  fileprivate mutating func append(quoting text: Span<UInt8>) {
    append(copying: Array(String(copying: text).quotedForJSON.utf8))
  }
}
