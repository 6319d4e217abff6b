import Foundation
import Testing

@testable import CounterApp

/// The layout is compared with what shields.io draws: the expected numbers are those of the snapshots in
/// https://github.com/badges/shields (badge-maker), in which the label is `cactus` and the message `grown`.
@Suite("A badge")
struct BadgeTests {
  private static let logo = "data:image/svg+xml;base64,PHN2ZyB4bWxu"

  struct Case: Sendable, CustomTestStringConvertible {
    let style: BadgeStyle
    var label = "cactus"
    var message = "grown"
    var hasLogo = false
    var labelColor: UInt32?
    let width: String
    let height: String
    /// The widths of the grounds, from left to right.
    let grounds: [String]
    /// The place of the middle and the length of each text that is no shadow, in tenths of a pixel.
    let texts: [(x: String, y: String, length: String)]

    var testDescription: String { "\(style) \(label) \(hasLogo) \(labelColor ?? 0)" }
  }

  private static func plain(_ style: BadgeStyle) -> [Case] {
    let (height, y) = style == .plastic ? ("18", "130") : ("20", "140")
    return [
      Case(
        style: style, width: "90", height: height, grounds: ["45", "45"],
        texts: [("235", y, "350"), ("665", y, "350")]),
      Case(
        style: style, hasLogo: true, width: "107", height: height, grounds: ["62", "45"],
        texts: [("405", y, "350"), ("835", y, "350")]),
      Case(
        style: style, label: "", width: "45", height: height, grounds: ["45"],
        texts: [("225", y, "350")]),
      Case(
        style: style, label: "", hasLogo: true, width: "63", height: height, grounds: ["63"],
        texts: [("405", y, "350")]),
      Case(
        style: style, label: "", hasLogo: true, labelColor: 0x00FF00, width: "69", height: height,
        grounds: ["24", "45"], texts: [("455", y, "350")]),
      Case(
        style: style, label: "label", message: "message", hasLogo: true, width: "113",
        height: height, grounds: ["54", "59"], texts: [("365", y, "270"), ("825", y, "490")]),
    ]
  }

  private static let wide = [
    Case(
      style: .forTheBadge, width: "146.75", height: "28", grounds: ["72.5", "74.25"],
      texts: [("362.5", "175", "485"), ("1096.25", "175", "502.5")]),
    Case(
      style: .forTheBadge, hasLogo: true, width: "163.75", height: "28",
      grounds: ["89.5", "74.25"],
      texts: [("532.5", "175", "485"), ("1266.25", "175", "502.5")]),
    Case(
      style: .forTheBadge, label: "", width: "74.25", height: "28", grounds: ["74.25"],
      texts: [("371.25", "175", "502.5")]),
    Case(
      style: .forTheBadge, label: "", hasLogo: true, width: "94.25", height: "28",
      grounds: ["94.25"], texts: [("571.25", "175", "502.5")]),
    Case(
      style: .forTheBadge, label: "", hasLogo: true, labelColor: 0x00FF00, width: "106.25",
      height: "28", grounds: ["32", "74.25"], texts: [("691.25", "175", "502.5")]),
  ]

  private static let social = [
    Case(
      style: .social, width: "95", height: "20", grounds: ["47", "41", "0.5", "47"],
      texts: [("235", "140", "370"), ("735", "140", "330")]),
    Case(
      style: .social, hasLogo: true, width: "112", height: "20",
      grounds: ["64", "41", "0.5", "64"],
      texts: [("405", "140", "370"), ("905", "140", "330")]),
    Case(
      style: .social, label: "", width: "59", height: "20", grounds: ["11", "41", "0.5", "11"],
      texts: [("375", "140", "330")]),
    Case(
      style: .social, label: "", hasLogo: true, labelColor: 0x00FF00, width: "73", height: "20",
      grounds: ["25", "41", "0.5", "25"], texts: [("515", "140", "330")]),
  ]

  @Test(
    "stands where shields.io puts it, in every style, with a label and a logo or without",
    arguments: plain(.flat) + plain(.flatSquare) + plain(.plastic) + wide + social)
  func layout(_ expected: Case) throws {
    let colors = Badge.Colors(
      message: Color(0xBB33EE), label: expected.labelColor.map { Color($0) })
    let image = ParsedImage(
      Drawing.badge(
        expected.style, label: expected.label, message: expected.message,
        logo: expected.hasLogo ? Self.logo : "", colors: colors))
    #expect(image.isWellFormed)
    #expect(image["width"] == expected.width)
    #expect(image["height"] == expected.height)
    let grounds = image.all("rect").filter {
      $0.attributes["fill"] != "url(#s)" && $0.attributes["rx"] != "3"
        && $0.attributes["rx"] != "4"
    }
    let widths = grounds.map { $0.attributes["width"].map(Double.init) }
    #expect(widths == expected.grounds.map(Double.init))
    let texts = image.all("text").filter { $0.attributes["aria-hidden"] == nil }
    #expect(texts.count == expected.texts.count)
    for (text, expected) in zip(texts, expected.texts) {
      let x = try #require(text.attributes["x"].flatMap(Double.init))
      #expect(abs(x - Double(expected.x)!) <= 0.1)
      #expect(text.attributes["y"] == expected.y)
      #expect(text.attributes["textLength"] == expected.length)
    }
    let logos = image.all("image").map { "\($0.attributes["x"]!) \($0.attributes["y"]!)" }
    let place =
      switch expected.style {
      case .forTheBadge: "9 7"
      case .plastic: "5 2"
      default: "5 3"
      }
    #expect(logos == (expected.hasLogo ? [place] : []))
  }

  @Test("has dark text on a bright ground, as shields.io has, unless a colour is given")
  func textColors() {
    for style in [BadgeStyle.flat, .flatSquare, .plastic, .forTheBadge] {
      func colors(_ label: UInt32, _ message: UInt32, text: UInt32? = nil) -> [String?] {
        let colors = Badge.Colors(
          message: Color(message), label: Color(label), text: text.map { Color($0) })
        let image = ParsedImage(
          Drawing.badge(style, label: "cactus", message: "grown", colors: colors))
        return image.all("text").filter { $0.attributes["aria-hidden"] == nil }
          .map { $0.attributes["fill"] }
      }
      #expect(colors(0xF3F3F3, 0x000000) == ["#333333", "#ffffff"])
      #expect(colors(0x000000, 0xE2FFE1) == ["#ffffff", "#333333"])
      #expect(colors(0xF3F3F3, 0x000000, text: 0xFF8800) == ["#ff8800", "#ff8800"])
    }
    // 0.69 is dark, 0.70 is bright.
    #expect(Color(0xB0B0B0).ofText == Color(0xFFFFFF))
    #expect(Color(0xB2B2B2).ofText == Color(0x333333))
    #expect(Color(0xB2B2B2).ofShadow == Color(0xCCCCCC))
  }

  private func width(_ text: String, _ font: Font = .verdana11) -> Int {
    font.width(of: Array(text.utf8).span).length.pixels
  }

  @Test("is as wide as its text in Latin, Cyrillic, Greek, Chinese and Japanese")
  func widths() {
    #expect(width("") == 0)
    // 6.99 pixels a digit, as browsers measure Verdana.
    #expect(width("0") == 6)
    #expect(width("0123456789") == 69)
    #expect(width("MTQS") == 32)
    #expect(width("unavailable") == 62)
    #expect(width("Привет") == 40)
    #expect(width("Αθήνα") == 34)
    #expect(width("訪問者") == 33)
    // A letter with its accent beside it is as wide as the letter.
    #expect(width("e\u{301}") == width("e"))
    for (accented, plain) in [
      ("Lượt xem", "Luot xem"), ("Việt Nam", "Viet Nam"), ("ǎǒǔ", "aou"), ("Ἀθῆναι", "Αθηναι"),
    ] {
      for font in [Font.verdana11, .verdana10, .boldVerdana10, .boldHelvetica11] {
        #expect(abs(width(accented, font) - width(plain, font)) <= 1, "\(accented) \(font)")
        let decomposed = accented.decomposedStringWithCanonicalMapping
        #expect(abs(width(decomposed, font) - width(plain, font)) <= 1, "\(accented) \(font)")
      }
    }
    #expect(width("Ґґ") == 11)
    #expect(width("a\u{2003}b") == width("ab") + 11)
    #expect(width("CACTUS", .verdana10) == 41)
    #expect(width("GROWN", .boldVerdana10) == 44)
    #expect(width("Cactus", .boldHelvetica11) == 36)
  }

  @Test("has room for text in other scripts, and for each emoji once")
  func estimatedWidths() {
    // Texts, and their widths in pixels in Noto Sans or DejaVu Sans, whichever is wider.
    let texts = [
      ("այցելություններ", 93.1), ("שלום", 24.5), ("מספר המבקרים", 76), ("مرحبا", 25.4),
      ("زيارات", 30.4), ("नमस्ते", 23.2), ("স্বাগতম", 32.7), ("வணக்கம்", 56.7), ("నమస్కారం", 47.8),
      ("നമസ്കാരം", 61.5), ("ආයුබෝවන්", 60.1), ("สวัสดี", 24.8), ("ผู้เข้าชม", 33.5),
      ("ສະບາຍດີ", 42.4), ("ကြည့်ရှုမှု", 42.8), ("გამარჯობა", 61.6), ("ሰላም", 22.1), ("អ្នកទស្សនា", 44.3),
      ("ᐃᓄᒃᑎᑐᑦ", 42.2), ("조회수", 30.4), ("ｱｲｳ", 16.5),
    ]
    for (text, real) in texts {
      let estimated = Double(width(text))
      // There are five pixels at either end besides.
      #expect(real - 5...real * 1.25 + 2 ~= estimated, "\(text): \(estimated) for \(real)")
    }
    for emoji in ["👀", "👩‍💻", "🇩🇪", "👨‍👩‍👧‍👦", "👍🏽", "☀\u{FE0F}", "1\u{FE0F}\u{20E3}", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"] {
      #expect(width(emoji) == 13, "\(emoji)")
    }
  }

  @Test("draws text whose width is only estimated as it is, and brings any other to its length")
  func stretchedTexts() {
    func labels(_ style: BadgeStyle, _ label: String) -> [[String: String]] {
      let image = ParsedImage(Drawing.badge(style, label: label, message: "43"))
      return image.all("text").dropLast(style == .forTheBadge || style == .flatSquare ? 1 : 2)
        .map(\.attributes)
    }
    for style in BadgeStyle.allCases {
      for label in [
        "views", "Lượt xem", "Привет", "Αθήνα", "訪問者", "カウンター", "Ｖ", "★", "e\u{301}", "☀",
      ] {
        for text in labels(style, label) { #expect(text["textLength"] != nil, "\(label)") }
      }
      for label in ["שלום", "مرحبا", "สวัสดี", "नमस्ते", "ｱｲｳ", "조회수", "views 👀", "☀\u{FE0F}", "₿"] {
        for text in labels(style, label) { #expect(text["textLength"] == nil, "\(label)") }
      }
    }
    // The style with spaces between its letters has them there, too, unless they are joined.
    #expect(labels(.forTheBadge, "views 👀").map { $0["letter-spacing"] } == ["12.5"])
    #expect(labels(.forTheBadge, "views").map { $0["letter-spacing"] } == [nil])
    #expect(labels(.forTheBadge, "مرحبا 👀").map { $0["letter-spacing"] } == [nil])
    #expect(labels(.flat, "views 👀").map { $0["letter-spacing"] } == [nil, nil])
  }

  @Test("says to a screen reader what it shows, and why it has no number")
  func description() {
    for style in BadgeStyle.allCases {
      let image = ParsedImage(Drawing.badge(style, label: "visits", message: "43"))
      #expect(image["role"] == "img")
      #expect(image["aria-label"] == "visits: 43")
      #expect(image.title == "visits: 43")
      let nameless = ParsedImage(Drawing.badge(style, message: "43"))
      #expect(nameless.title == "43")
      let remark: StaticString = "The counter's key is missing."
      let refused = ParsedImage(
        Drawing.badge(style, label: "visits", message: "unavailable", remark: remark))
      #expect(refused.title == "visits: unavailable. The counter's key is missing.")
      #expect(refused["aria-label"] == refused.title)
    }
  }

  @Test("is well-formed and says its label, whatever characters that has")
  func randomLabels() {
    var random = SystemRandomNumberGenerator()
    let pool: [Unicode.Scalar] =
      Array("<>&\"'/=;! -]]>aé\u{301}зΩ中👩‍💻ß\u{FB03}ǆ".unicodeScalars)
      + (0..<40).map { _ in Unicode.Scalar(UInt32.random(in: 0x20..<0xD7FF, using: &random))! }
    var drawn = 0
    var wrong: [String] = []
    for round in 0..<2000 {
      var label = ""
      for _ in 0..<Int.random(in: 1...64, using: &random) {
        label.unicodeScalars.append(pool.randomElement(using: &random)!)
      }
      guard LabelText.isAllowed(Array(label.utf8).span) else { continue }
      drawn += 1
      let style = BadgeStyle.allCases[round % BadgeStyle.allCases.count]
      let image = ParsedImage(Drawing.badge(style, label: label, message: "43"))
      let title = image.title.map { Array($0.utf8) }
      if !image.isWellFormed || title != Array("\(label): 43".utf8) {
        wrong.append("\(style): \(label.unicodeScalars.map(\.value))")
      }
    }
    #expect(wrong.isEmpty)
    #expect(drawn > 1000)
    // Capitals and escapes that take the most bytes.
    for text in ["ΐ", "ﬃ", "\"", "'"] {
      let label = String(repeating: text, count: 64)
      for style in BadgeStyle.allCases {
        #expect(ParsedImage(Drawing.badge(style, label: label, message: label)).isWellFormed)
      }
    }
  }

  @Test("has nothing in it that runs or comes from elsewhere")
  func passive() {
    for style in BadgeStyle.allCases {
      let label = "<script>alert(1)</script><a href=\"javascript:x\" onload='y'>"
      let text = Drawing.badge(style, label: label, message: "43", logo: Self.logo)
      let image = ParsedImage(text)
      let names = Set(image.elements.map(\.name))
      #expect(
        names.isSubset(of: [
          "svg", "title", "linearGradient", "stop", "clipPath", "rect", "g", "path", "text",
          "image",
        ]))
      #expect(image.elements.allSatisfy { $0.attributes.keys.allSatisfy { !$0.hasPrefix("on") } })
      let addresses = image.elements.compactMap { $0.attributes["xlink:href"] }
      #expect(addresses == [Self.logo])
    }
  }

  @Test("is JSON for shields.io, with the logo only if it is an SVG")
  func json() {
    #expect(
      Drawing.json(label: "a \"b\"", message: "43")
        == ##"{"schemaVersion":1,"label":"a \"b\"","message":"43","color":"#44cc11","style":"flat"}"##
    )
    let colors = Badge.Colors(message: Color(0x1), label: Color(0x2))
    // <svg/>
    let svg = "data:image/svg+xml;base64,PHN2Zy8+"
    #expect(
      Drawing.json(label: "", message: "unavailable", logo: svg, colors: colors, remark: "x")
        == ##"{"schemaVersion":1,"label":"","message":"unavailable","color":"#000001","##
        + ##""labelColor":"#000002","style":"flat","logoSvg":"<svg/>","isError":true}"##)
    let gif = "data:image/gif;base64,R0lGODlh"
    #expect(!Drawing.json(label: "", message: "1", logo: gif).contains("logo"))
  }
}
