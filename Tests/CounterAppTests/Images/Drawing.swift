import BasicContainers
import Foundation
import FoundationXML
import System

@testable import CounterApp

/// Draws images with texts as strings.
enum Drawing {
  static func badge(
    _ style: BadgeStyle, label: String = "", message: String, logo: String = "",
    colors: Badge.Colors = Badge.Colors(), remark: StaticString = ""
  ) -> String {
    let (label, message, logo) = (Array(label.utf8), Array(message.utf8), Array(logo.utf8))
    var buffer = UniqueArray<UInt8>()
    Badge(
      style, label: label.span, message: message.span, logo: logo.span, colors: colors,
      remark: remark
    ).write(to: &buffer)
    return String(copying: buffer.span)
  }

  static func json(
    label: String, message: String, logo: String = "", colors: Badge.Colors = Badge.Colors(),
    remark: StaticString = ""
  ) -> String {
    let (label, message, logo) = (Array(label.utf8), Array(message.utf8), Array(logo.utf8))
    var buffer = UniqueArray<UInt8>()
    Badge(
      .flat, label: label.span, message: message.span, logo: logo.span, colors: colors,
      remark: remark
    ).writeJSON(to: &buffer)
    return String(copying: buffer.span)
  }

  static func digits(
    _ theme: Odometer.Theme, _ scheme: Odometer.Scheme = .auto, label: String = "",
    message: String
  ) -> String {
    let (label, message) = (Array(label.utf8), Array(message.utf8))
    var buffer = UniqueArray<UInt8>()
    Odometer(theme, scheme, label: label.span, message: message.span).write(to: &buffer)
    return String(copying: buffer.span)
  }
}

/// An image as XML: whether it is well-formed, and its elements.
final class ParsedImage: NSObject, XMLParserDelegate {
  struct Element {
    let name: String
    let attributes: [String: String]
    var text = ""
  }

  private(set) var elements: [Element] = []
  private(set) var isWellFormed = false
  private var open: [Int] = []

  init(_ text: String) {
    super.init()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = self
    isWellFormed = parser.parse()
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    open.append(elements.count)
    elements.append(Element(name: name, attributes: attributes))
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    open.removeLast()
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) {
    if let last = open.last { elements[last].text += text }
  }

  func all(_ name: String) -> [Element] { elements.filter { $0.name == name } }

  /// The value of an attribute of the element itself.
  subscript(attribute: String) -> String? { elements.first?.attributes[attribute] }

  var title: String? { all("title").first?.text }
}
