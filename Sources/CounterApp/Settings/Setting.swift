/// How a setting is given, and how `--help` and the table in docs/settings.md describe it.
package struct SettingDeclaration: Sendable {
  /// The flag, without its dashes.
  package let flag: String
  /// The environment variable; nil when there is none.
  let variable: String?
  /// What the variable holds, or which other variables count, when its name does not say it.
  let variableNote: String
  /// What `--help` calls the value; nil for a switch, which has none.
  package let valueName: String?
  /// The default; nil when no default needs to be described.
  let defaultText: String?
  /// What the setting means, in one or two sentences.
  let summary: String

  /// The text that `--help` prints.
  package var help: String {
    let environment = variable.map { "environment: \($0)\(variableNote)" }
    let notes = [environment, defaultText.map { "default: \($0)" }].compactMap(\.self)
    return notes.isEmpty ? summary : "\(summary) (\(notes.joined(separator: "; ")))"
  }

  /// The setting's row in the table.
  var tableRow: String {
    let variable = variable.map { "`\($0)`\(variableNote)" } ?? ""
    return "| \(summary) | `--\(flag)` | \(variable) | \(defaultText ?? "") |"
  }
}

/// A setting: its declaration, and how its value is read from text.
package struct Setting<Value: Sendable>: Sendable {
  package let declaration: SettingDeclaration
  /// The default as it would be given; nil when the default is computed or there is none.
  let literalDefault: String?
  let parse: @Sendable (GivenValue) throws -> Value

  init(
    _ flag: String, _ variable: String?, note: String = "", _ valueName: String?,
    default literal: String? = nil, computed: String? = nil,
    _ parse: @escaping @Sendable (GivenValue) throws -> Value, _ summary: String
  ) {
    declaration = SettingDeclaration(
      flag: flag, variable: variable, variableNote: note, valueName: valueName,
      defaultText: literal ?? computed, summary: summary)
    literalDefault = literal
    self.parse = parse
  }
}

/// A setting that cannot be used.
package struct SettingError: Error, Equatable, CustomStringConvertible {
  /// The flag or the environment variable that was given.
  package let name: String
  /// Why the value cannot be used; does not repeat a value that may hold a password.
  package let reason: String

  /// The name and the reason, in one line.
  package var description: String { "\(name): \(reason)" }
}

/// A value, and the name of the flag or environment variable that it was given by.
package struct GivenValue: Sendable {
  let name: String
  let text: String

  /// Whether it was given by a flag, and not by a variable.
  var isFlag: Bool { name.hasPrefix("--") }

  /// The value is shown, and what was expected instead.
  func isNot(_ expected: String) -> SettingError {
    SettingError(name: name, reason: "'\(text.onOneLine("?"))' is not \(expected)")
  }

  /// The value is not shown: it may hold a password, or does not help.
  func isBad(_ reason: String) -> SettingError { SettingError(name: name, reason: reason) }
}

extension String {
  /// The first 80 characters on one line, with another character for each control character.
  func onOneLine(_ replacement: Unicode.Scalar) -> String {
    let scalars = unicodeScalars.prefix(80).map { scalar in
      scalar.value < 32 || scalar.value == 127 ? replacement : scalar
    }
    return String(UnicodeScalarView(scalars))
  }
}

/// Looks settings up: a flag beats the environment, and an empty variable counts as not set.
package struct SettingSource {
  private let flags: [String: String]
  private let environment: (String) -> String?

  /// - Parameters:
  ///   - flags: the values of the flags that were given, by flag without its dashes.
  ///   - environment: the value of an environment variable.
  package init(flags: [String: String], environment: @escaping (String) -> String?) {
    self.flags = flags
    self.environment = environment
  }

  /// The text that was given for a setting.
  func find(_ declaration: SettingDeclaration) -> GivenValue? {
    if let text = flags[declaration.flag] {
      return GivenValue(name: "--\(declaration.flag)", text: text)
    }
    return declaration.variable.flatMap(variable)
  }

  func variable(_ name: String) -> GivenValue? {
    guard let text = environment(name), !text.isEmpty else { return nil }
    return GivenValue(name: name, text: text)
  }

  /// The value that was given for a setting; nil when none was.
  package func given<Value>(_ setting: Setting<Value>) throws -> Value? {
    try find(setting.declaration).map(setting.parse)
  }

  /// The value that was given for a setting, or its default.
  package func value<Value>(of setting: Setting<Value>) throws -> Value {
    if let value = try given(setting) { return value }
    guard let text = setting.literalDefault else {
      preconditionFailure("--\(setting.declaration.flag) has no default")
    }
    return try setting.parse(GivenValue(name: "--\(setting.declaration.flag)", text: text))
  }

  /// The value of a setting for an error: it does not go together with another setting's.
  func conflicting(_ declaration: SettingDeclaration) -> GivenValue {
    find(declaration) ?? GivenValue(name: "--\(declaration.flag)", text: "")
  }
}
