/// The look of a badge. The names and the looks are those of shields.io.
enum BadgeStyle: String, CaseIterable, Sendable {
  case flat
  case flatSquare = "flat-square"
  case plastic
  case forTheBadge = "for-the-badge"
  case social
}
