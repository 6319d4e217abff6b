extension EmbeddedFile {
  /// The page that shows a counter as it is hit. It is the same for all counters: its script reads the name of
  /// the counter from the address of the page.
  static var livePage: EmbeddedFile {
    EmbeddedFile(
      PackageResources.live_html, type: "text/html; charset=utf-8",
      [("Content-Security-Policy", LivePage.policy), ("Referrer-Policy", "no-referrer")])
  }
}

/// What browsers let the page that shows a counter do.
enum LivePage {
  /// The SHA-256 of the page's script and of its style, in Base64. A test computes them.
  static let scriptHash = "F1D8vLbDqkwL7nekClsF+6x+Kz8FEM+1ZhnDTYqVzAU="
  static let styleHash = "19tHNE9/d2vAI0cutbftyRkIGsLVsxdcswIocH1dz60="

  /// It runs its own script, and reads and shows what comes from its own origin. Its icon is empty.
  static let policy = [
    "default-src 'none'", "script-src 'sha256-\(scriptHash)'", "style-src 'sha256-\(styleHash)'",
    "connect-src 'self'", "img-src 'self' data:", "base-uri 'none'", "form-action 'none'",
  ].joined(separator: "; ")
}
