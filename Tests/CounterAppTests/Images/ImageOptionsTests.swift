import BasicContainers
import System
import Testing

@testable import CounterApp

@Suite("The options of an image")
struct ImageOptionsTests {
  /// The first error of parameters, each `name=value`.
  private func error(_ parameters: String..., of kind: ImageKind = .badge) -> ImageError? {
    var options = ImageOptions()
    for parameter in parameters {
      let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = ImageOptions.Parameter(String(parts[0]), of: kind) else { continue }
      do throws(ImageError) {
        try options.set(name, Array(parts[1].utf8).span, of: kind)
      } catch {
        return error
      }
    }
    return nil
  }

  @Test("take labels of 64 characters at most, and none that hides or turns what stands beside it")
  func labels() {
    let letters = String(repeating: "ж", count: 64)
    for label in [
      "", " ", "a", "<b>&\"'", letters, " \(letters) ", "日本語", "👩‍💻", "עברית",
      // Joiners, a variation selector, and the tags of a flag.
      "می\u{200C}خواهم", "क्\u{200D}ष", "☀\u{FE0F}", "葛\u{E0100}", "🏴󠁧󠁢󠁳󠁣󠁴󠁿 2",
    ] {
      #expect(error("label=\(label)") == nil, "\(label)")
    }
    #expect(error("label=\(letters)x") == .label)
    #expect(error("label=\(String(repeating: "x", count: 10_240))") == .label)
    #expect(error("label=e\(String(repeating: "\u{301}", count: 64))") == .label)
    for scalar in [
      0x00, 0x09, 0x0A, 0x0D, 0x1F, 0x7F, 0x80, 0x9F, 0x61C, 0x200E, 0x200F, 0x2028, 0x2029,
      0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069, 0xFFFE, 0xFFFF,
      // A soft hyphen, a grapheme joiner, fillers, spaces and operators that are invisible, controls that are
      // deprecated, a byte order mark, marks of annotations, tags.
      0xAD, 0x34F, 0x115F, 0x3164, 0xFFA0, 0x180E, 0x200B, 0x2060, 0x2063, 0x206A, 0x206F, 0xFEFF,
      0xFFF9, 0xFFFA, 0xFFFB, 0x1D173, 0xE0001, 0xE0020, 0xE0041, 0xE007F,
    ] as [UInt32] {
      #expect(error("label=a\(Unicode.Scalar(scalar)!)b") == .label, "\(scalar)")
    }
    var options = ImageOptions()
    #expect(throws: ImageError.label) { try options.set(.label, [0x61, 0xFF].span, of: .badge) }
  }

  @Test("take a colour by its name or its digits, and no other text")
  func colors() {
    let colors: [(String, UInt32)] = [
      ("brightgreen", 0x44CC11), ("green", 0x97CA00), ("yellow", 0xDFB317),
      ("yellowgreen", 0xA4A61D), ("orange", 0xFE7D37), ("red", 0xE05D44), ("blue", 0x007EC6),
      ("grey", 0x555555), ("gray", 0x555555), ("lightgrey", 0x9F9F9F), ("lightgray", 0x9F9F9F),
      ("critical", 0xE05D44), ("important", 0xFE7D37), ("success", 0x44CC11),
      ("informational", 0x007EC6), ("inactive", 0x9F9F9F), ("RebeccaPurple", 0x663399),
      ("steelblue", 0x4682B4), ("fff", 0xFFFFFF), ("#4c1", 0x44CC11), ("ABCDEF", 0xABCDEF),
      ("#007ec6", 0x007EC6),
    ]
    for (text, rgb) in colors { #expect(Color(text) == Color(rgb), "\(text)") }
    #expect(Color.names.count == 154)
    for text in [
      "", "#", "no", "ff", "ffff", "fffff", "fffffff", "ffffffff", "##fff", "ggg", "url(#s)",
      "red;", "rgb(0,0,0)", "\"/><script>", "#ff ", "transparent", "ＦＦＦ", "é", "0x0",
      String(repeating: "f", count: 10_000),
    ] {
      for name in ["color", "labelColor"] { #expect(error("\(name)=\(text)") == .color, "\(text)") }
      for name in ["bgcolor", "textcolor"] {
        #expect(error("\(name)=\(text)", of: .shield) == .color, "\(text)")
      }
    }
  }

  private static let png = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"

  @Test("take a logo that is an image by its type and its content, of 8,192 bytes at most")
  func logos() {
    let fitting = "data:image/svg+xml;base64,PHN2"
    let longest = fitting + String(repeating: "A", count: 8192 - 2 - fitting.count)
    for logo in [
      Self.png, "data:image/gif;base64,R0lGODlhAQAB", "data:image/jpeg;base64,/9j/4AAQ",
      "data:image/webp;base64,UklGRiIAAABXRUJQVlA4", "data:image/svg+xml;base64,PHN2Zy8+",
      // An XML declaration behind a byte order mark and white space.
      "data:image/svg+xml;base64,77u/CiAgPD94bWw=", longest,
      // A plus sign that a query has turned into a space.
      "data:image/svg xml;base64,PHN2Zy8 ",
    ] {
      #expect(error("logo=\(logo)") == nil, "\(logo.prefix(60)) \(logo.count)")
    }
    #expect(longest.utf8.count == 8190)
    for logo in [
      "", longest + "AAAA", "github", "https://example.org/a.png", "data:",
      "data:image/png;base64,",
      "data:image/png,iVBORw0KGgo=", "data:text/html;base64,PHN2Zy8+",
      "data:image/bmp;base64,Qk0AAAAA", "data:image/png;base64,PHN2Zy8+",
      "data:image/svg+xml;base64,aHR0cDov", "data:image/svg+xml;utf8,<svg/>",
      "data:image/png;base64,iVBORw0KGgo", "data:image/png;base64,iVBORw0KG\u{22}o=",
      "data:image/png;base64,iVBORw0K====", "data:image/png;base64,iVBORw=KGgo=",
      "data:image/gif;base64,R0lGODlh\u{22}>AA", "DATA:image/gif;base64,R0lGODlhAQAB",
      "data:image/webp;base64,UklGRiIAAABXRUIQ", "data:image/jpeg;base64,/9g=",
      "javascript:alert(1)", String(repeating: "data:", count: 4000),
    ] {
      #expect(error("logo=\(logo)") == .logo, "\(logo.prefix(60)) \(logo.count)")
    }
  }

  @Test("refuse what is no style, theme, scheme, number or choice")
  func others() {
    for style in BadgeStyle.allCases { #expect(error("style=\(style.rawValue)") == nil) }
    for style in ["", "Flat", "flat-simple", "popout", "flat%20"] {
      #expect(error("style=\(style)") == .style)
    }
    for style in ["flat-simple", "flat-square-simple", "plastic-simple", "social"] {
      #expect(error("style=\(style)", of: .shield) == nil)
    }
    for style in ["-simple", "social-simple", "for-the-badge-simple", "flat-simple-simple"] {
      #expect(error("style=\(style)", of: .shield) == .style)
    }
    for value in ["true", "false"] { #expect(error("abbreviated=\(value)") == nil) }
    for value in ["yes", "TRUE", "1", "0", ""] {
      #expect(error("abbreviated=\(value)") == .abbreviated)
    }
    for value in ["0", "-5", "9223372036854775807", "-9223372036854775808"] {
      #expect(error("base=\(value)") == nil)
    }
    for value in ["", "1.5", "+1", "1e3", "9223372036854775808", "x", " 1"] {
      #expect(error("base=\(value)") == .base, "\(value)")
    }
    for theme in Odometer.Theme.allCases {
      #expect(error("theme=\(theme.rawValue)", of: .digits) == nil)
    }
    #expect(error("theme=neon", of: .digits) == .theme)
    #expect(error("scheme=blue", of: .digits) == .scheme)
    #expect(error("min=1", of: .digits) == nil)
    #expect(error("min=20", of: .digits) == nil)
    for value in ["0", "21", "-1", "", "x", "1.0"] {
      #expect(error("min=\(value)", of: .digits) == .minimum)
    }
    // What an image does not have is not read.
    #expect(error("theme=neon", "bgcolor=x", "text=\u{202E}", "min=99") == nil)
    #expect(error("style=x", "color=x", "logo=x", of: .digits) == nil)
    #expect(error("label=\u{202E}", "color=x", of: .pixel) == nil)
  }

  @Test("of Abacus stand for those of shields.io")
  func abacus() throws {
    for order in [[0, 1], [1, 0]] {
      var options = ImageOptions()
      let parameters = [("text", "visits"), ("style", "plastic-simple")]
      for index in order {
        let (name, value) = parameters[index]
        let parameter = try #require(ImageOptions.Parameter(name, of: .shield))
        try options.set(parameter, Array(value.utf8).span, of: .shield)
      }
      try options.setDefaultLabel(Array("key".utf8).span)
      let (label, style) = (String(copying: options.label), options.style)
      #expect(label == "" && style == .plastic)
    }
    #expect(ImageOptions.Parameter("text", of: .shield) == .label)
    #expect(ImageOptions.Parameter("bgcolor", of: .shield) == .color)
    #expect(ImageOptions.Parameter("font", of: .shield) == nil)
    #expect(ImageOptions.Parameter("fontsize", of: .shield) == nil)
  }

  @Test("add a number for display that stays within 64 bits")
  func base() throws {
    func displayed(_ number: Int64, base: String) throws -> Int64 {
      var options = ImageOptions()
      try options.set(.base, Array(base.utf8).span, of: .badge)
      return options.displayed(number)
    }
    #expect(try displayed(43, base: "1000") == 1043)
    #expect(try displayed(43, base: "-50") == -7)
    #expect(try displayed(.max, base: "1") == .max)
    #expect(try displayed(-2, base: "-9223372036854775807") == .min)
  }

  @Test("keep the label apart from the logo, whichever comes first")
  func texts() throws {
    let logo = "data:image/gif;base64,R0lGODlhAQAB"
    for isLogoFirst in [true, false] {
      var options = ImageOptions()
      if isLogoFirst { try options.set(.logo, Array(logo.utf8).span, of: .badge) }
      try options.setDefaultLabel(Array("home".utf8).span)
      if !isLogoFirst { try options.set(.logo, Array(logo.utf8).span, of: .badge) }
      let (label, kept) = (String(copying: options.label), String(copying: options.logo))
      #expect(label == "home" && kept == logo)
    }
  }
}
