import CounterApp

// The ordinary program with a script that is wrong, to see whether the chaos suite notices.

/// The flags that the chaos suite passes: `--name value` each.
func parseFlags() -> [String: String] {
  let words = CommandLine.arguments.dropFirst()
  var flags = ["metrics-port": "0"]
  for (name, value) in zip(words, words.dropFirst()) where name.hasPrefix("--") {
    flags[String(name.dropFirst(2))] = value
  }
  return flags
}

var flags = parseFlags()
let name = flags.removeValue(forKey: "wrong") ?? WrongScript.withoutClaim.rawValue
guard let wrong = WrongScript(rawValue: name) else {
  fatalError("--wrong is one of \(WrongScript.allCases.map(\.rawValue))")
}
let configuration = try Configuration(
  SettingSource(flags: flags, environment: { _ in nil }))
_ = try Application.run(configuration, script: wrong.script)
