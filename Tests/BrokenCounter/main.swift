import CounterApp
import Counting

// The ordinary program with a script that ignores the claim: a batch that is sent again counts again, as
// with a client that repeats INCR after a lost reply. It shows that the chaos suite notices.

let withoutClaim = BatchScript(
  text: """
    local totals = {}
    for i = 2, #KEYS do
      redis.call('INCRBY', KEYS[i], ARGV[i])
      totals[#totals + 1] = redis.call('GET', KEYS[i])
    end
    return table.concat(totals, ' ')
    """,
  digest: "4868f34d091095c6277840968bb21918af6a3540")

/// The flags that the chaos suite passes: `--name value` each.
func parseFlags() -> [String: String] {
  let words = CommandLine.arguments.dropFirst()
  var flags = ["metrics-port": "0"]
  for (name, value) in zip(words, words.dropFirst()) where name.hasPrefix("--") {
    flags[String(name.dropFirst(2))] = value
  }
  return flags
}

let configuration = try Configuration(SettingSource(flags: parseFlags(), environment: { _ in nil }))
_ = try Application.run(configuration, script: withoutClaim)
