extension Application {
  /// Which counter this is (https://semver.org).
  package static var version: String { "0.1.0" }
}
