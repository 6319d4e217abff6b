import ArgumentParser
import CounterApp
import Glibc

extension Option where Value == String? {
  /// The flag of a setting, with the name, the value's name and the help that the setting declares.
  init<Parsed>(_ setting: Setting<Parsed>) {
    let declaration = setting.declaration
    self.init(
      name: .customLong(declaration.flag),
      help: ArgumentHelp("\(declaration.help)", valueName: declaration.valueName))
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

extension SettingSource {
  /// Settings from flags, the environment of the process, and defaults.
  ///
  /// - Parameter given: declarations, each with the value of its flag if that was given.
  init(_ given: [(SettingDeclaration, String?)]) {
    var flags: [String: String] = [:]
    for (declaration, value) in given { flags[declaration.flag] = value }
    self.init(flags: flags) { name in
      // Sound: nothing in this program changes the environment.
      unsafe getenv(name).map { unsafe String(cString: $0) }
    }
  }
}
