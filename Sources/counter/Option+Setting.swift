import ArgumentParser
import CounterApp
import Glibc

/// A flag that was given, without its dashes, and its value.
struct GivenFlag {
  let flag: String
  let value: String
}

extension Option where Value == GivenFlag? {
  /// The flag of a setting, with the name, the value's name and the help that the setting declares.
  ///
  /// - Parameter parsing: how the value is found; `.unconditional` takes one that begins with a dash.
  init<Parsed>(_ setting: Setting<Parsed>, parsing: SingleValueParsingStrategy = .next) {
    let declaration = setting.declaration
    self.init(
      name: .customLong(declaration.flag), parsing: parsing,
      help: ArgumentHelp("\(declaration.help)", valueName: declaration.valueName),
      transform: { GivenFlag(flag: declaration.flag, value: $0) })
  }
}

extension Flag where Value == Bool {
  /// The flag of a setting that is on or off; off when it is not given.
  init(_ setting: Setting<Bool>) {
    let declaration = setting.declaration
    self.init(
      wrappedValue: false, name: .customLong(declaration.flag), help: "\(declaration.help)")
  }
}

extension ParsableCommand {
  /// The settings that the command's flags, the environment of the process and defaults give.
  var settings: SettingSource { SettingSource(of: self) }
}

extension SettingSource {
  /// The settings that flags, the environment of the process and defaults give. The flags are found by
  /// reflection, as ArgumentParser finds them, so that each is listed once.
  init(of arguments: some ParsableArguments) {
    var flags: [String: String] = [:]
    for property in Mirror(reflecting: arguments).children {
      switch property.value {
      case let option as Option<GivenFlag?>:
        if let given = option.wrappedValue { flags[given.flag] = given.value }
      case let flag as Flag<Bool>:
        if flag.wrappedValue { flags[Settings.accessLog.declaration.flag] = "on" }
      default: break
      }
    }
    self.init(flags: flags) { name in
      // Sound: nothing in this program changes the environment.
      unsafe getenv(name).map { unsafe String(cString: $0) }
    }
  }
}
