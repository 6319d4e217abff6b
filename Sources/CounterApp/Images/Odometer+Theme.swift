/// How each theme draws the cell of a digit.
extension Odometer.Theme {
  /// The size of a cell, and the margin around all cells, in pixels.
  var cell: (width: Int, height: Int, margin: Int) {
    switch self {
    case .odometer: (22, 34, 3)
    case .flip: (26, 38, 3)
    case .led: (22, 34, 4)
    case .plain: (16, 24, 0)
    }
  }

  /// What the cells refer to.
  var definitions: StaticString {
    switch self {
    case .odometer:
      """
      <linearGradient id="o" x2="0" y2="1"><stop offset="0" stop-opacity=".75"/>\
      <stop offset=".28" stop-opacity=".1"/><stop offset=".5" stop-color="#fff" stop-opacity=".12"/>\
      <stop offset=".72" stop-opacity=".1"/><stop offset="1" stop-opacity=".75"/></linearGradient>
      """
    case .flip, .led, .plain: ""
    }
  }

  /// What stands behind a digit.
  var ground: StaticString {
    switch self {
    case .odometer: #"<rect class="g" x=".5" width="21" height="34"/>"#
    case .flip: #"<rect class="g" x="1" width="24" height="38" rx="4"/>"#
    case .led, .plain: ""
    }
  }

  /// What stands before a digit.
  var foreground: StaticString {
    switch self {
    case .odometer: #"<rect x=".5" width="21" height="34" fill="url(#o)"/>"#
    case .flip:
      #"<path class="h" d="M1 19V4a4 4 0 0 1 4-4h16a4 4 0 0 1 4 4v15z"/><path class="s" d="M1 19h24"/>"#
    case .led, .plain: ""
    }
  }

  /// The element of a digit that is a line, up to the line.
  var strokeStart: StaticString {
    switch self {
    case .odometer: #"<path class="d" transform="translate(5 7)" d=""#
    case .flip: #"<path class="d" transform="translate(5.2 6) scale(1.3)" d=""#
    case .led, .plain: #"<path class="d" transform="translate(2 2)" d=""#
    }
  }

  /// Rules of style for both grounds.
  var rules: StaticString {
    switch self {
    case .odometer, .plain:
      ".d{fill:none;stroke-width:2.6;stroke-linecap:round;stroke-linejoin:round}"
    case .flip: ".d{fill:none;stroke-width:2.4;stroke-linecap:round;stroke-linejoin:round}"
    case .led: ""
    }
  }

  /// Rules of style for a light ground.
  var lightRules: StaticString {
    switch self {
    case .odometer:
      ".f{fill:#3a3a3c}.g{fill:#f4f1e8}.d{stroke:#1c1c1e}.l .g{fill:#c8102e}.l .d{stroke:#fff}"
    case .flip:
      ".f{fill:#d8dade}.g{fill:#fff}.d{stroke:#1c1e21}.h{fill:#000;fill-opacity:.04}.s{stroke:#d8dade;stroke-width:1.4}"
    case .led: ".f{fill:#c5cfb4}.n{fill:#2b3320}.o{fill:#2b3320;fill-opacity:.08}"
    case .plain: ".d{stroke:#24292f}"
    }
  }

  /// Rules of style for a dark ground.
  var darkRules: StaticString {
    switch self {
    case .odometer:
      ".f{fill:#48484a}.g{fill:#161618}.d{stroke:#f4f1e8}.l .g{fill:#f4f1e8}.l .d{stroke:#c8102e}"
    case .flip:
      ".f{fill:#0d0e10}.g{fill:#2c2e33}.d{stroke:#f2f2f2}.h{fill:#000;fill-opacity:.18}.s{stroke:#0d0e10;stroke-width:1.4}"
    case .led: ".f{fill:#190b0b}.n{fill:#ff3b30}.o{fill:#ff3b30;fill-opacity:.11}"
    case .plain: ".d{stroke:#e6edf3}"
    }
  }
}
